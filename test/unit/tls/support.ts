import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import { tlsAcceptor } from "../../../src/tls/accept.js";
import type { TlsTarget } from "../../../src/tls/connect.js";
import type { TlsError } from "../../../src/tls/errors.js";
import type { PluginTls } from "../../../src/tls/plugin-options.js";
import { until } from "../../interop/support.js";
import { listenPath } from "../../support.js";

export type Network = "unix" | "tcp";
export const networks: readonly Network[] = ["unix", "tcp"];

export interface Listening {
  network: Network;
  /** As a handshake line has it. */
  address: string;
  target: TlsTarget & ({ path: string } | { host: string; port: number });
}

/** Listens for raw connections until the disposal, which also ends those that are open. */
export async function listen(
  network: Network,
  onConnection: (socket: Socket) => void,
): Promise<Listening & AsyncDisposable> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
    onConnection(socket);
  });
  const dir = network === "unix" ? await mkdtemp(join(tmpdir(), "goplug-tls-")) : undefined;
  if (dir === undefined) server.listen(0, "127.0.0.1");
  else server.listen(listenPath(dir, "socket"));
  await once(server, "listening");
  const where = server.address() as AddressInfo | string;
  const target = typeof where === "string" ? { path: where } : { host: "127.0.0.1", port: where.port };
  return {
    network,
    address: typeof where === "string" ? where : `127.0.0.1:${where.port}`,
    target,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
      if (dir !== undefined) await rm(dir, { recursive: true });
    },
  };
}

export interface SecuredListener extends Listening, AsyncDisposable {
  /** Every connection that was let in. */
  secured: TLSSocket[];
  refused: TlsError[];
  /** Resolves when this many were refused; rejects after 10 s. */
  refusals(count: number): Promise<void>;
}

/** A plugin's listening socket with TLS, whose connections go to `onSecured` (default: echoed after their end). */
export async function listenSecured(
  network: Network,
  tls: PluginTls,
  options: { onSecured?: (socket: TLSSocket) => void; handshakeTimeout?: number } = {},
): Promise<SecuredListener> {
  const secured: TLSSocket[] = [];
  const refused: TlsError[] = [];
  const accept = tlsAcceptor(
    tls,
    {
      secured(socket) {
        secured.push(socket);
        socket.on("error", () => {});
        (options.onSecured ?? echoAtEnd)(socket);
      },
      refused(error) {
        refused.push(error);
      },
    },
    options.handshakeTimeout,
  );
  const listening = await listen(network, accept);
  return {
    ...listening,
    secured,
    refused,
    refusals: (count) => until(`${count} refusals`, () => refused.length >= count),
    [Symbol.asyncDispose]: () => listening[Symbol.asyncDispose](),
  };
}

/** Reads to the end, then answers the same and ends: works only if each direction ends by itself. */
function echoAtEnd(socket: Duplex): void {
  void readAll(socket).then(
    (data) => socket.end(data),
    () => {},
  );
}

export async function readAll(socket: Duplex): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  await once(socket, "end");
  return Buffer.concat(chunks);
}

/** All that came until the connection was gone, however that happened. */
export function readUntilClosed(socket: Duplex): Promise<Buffer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.on("error", () => {});
    socket.on("end", () => socket.end());
    socket.on("close", () => resolve(Buffer.concat(chunks)));
  });
}
