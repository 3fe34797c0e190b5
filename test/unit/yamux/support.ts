// Connections and sessions for the yamux tests.
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import type { AddressInfo, Socket } from "node:net";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Duplex } from "node:stream";
import { after, type TestContext } from "node:test";
import { TLSSocket, connect as tlsConnect } from "node:tls";
import type { SessionConfig } from "../../../src/yamux/index.js";
import { Session } from "../../../src/yamux/index.js";
import { listenPath } from "../../support.js";

// Timers of the library do not keep a process alive, nor does an in-memory connection: a test has to.
const alive = setInterval(() => {}, 1000);
after(() => clearInterval(alive));

/** One end of an in-memory connection. */
export class PipeEnd extends Duplex {
  peer!: PipeEnd;
  /** While set, written bytes do not arrive and writes do not complete. */
  blocked = false;
  #held: (() => void)[] = [];
  #wanted: (() => void) | undefined;

  constructor() {
    super({ allowHalfOpen: false });
  }

  unblock(): void {
    this.blocked = false;
    for (const go of this.#held.splice(0)) go();
  }

  override _read(): void {
    const go = this.#wanted;
    this.#wanted = undefined;
    go?.();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    const go = (): void => {
      if (this.peer.destroyed) {
        callback(Object.assign(new Error("write EPIPE"), { code: "EPIPE" }));
      } else if (this.peer.push(chunk)) {
        callback();
      } else {
        this.peer.#wanted = callback;
      }
    };
    if (this.blocked) this.#held.push(go);
    else setImmediate(go);
  }

  override _final(callback: () => void): void {
    this.peer.push(null);
    callback();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    if (!this.peer.destroyed) this.peer.push(null);
    callback(error);
  }
}

export function pipePair(): [PipeEnd, PipeEnd] {
  const a = new PipeEnd();
  const b = new PipeEnd();
  a.peer = b;
  b.peer = a;
  return [a, b];
}

async function socketPair(
  listen: (server: ReturnType<typeof createServer>) => void,
): Promise<[Socket, Socket]> {
  const server = createServer();
  listen(server);
  await once(server, "listening");
  const address = server.address();
  const client =
    typeof address === "string"
      ? connect({ path: address })
      : connect((address as AddressInfo).port, "127.0.0.1");
  const [accepted] = (await once(server, "connection")) as [Socket];
  if (client.connecting) await once(client, "connect");
  server.close();
  return [client, accepted];
}

export function tcpPair(): Promise<[Socket, Socket]> {
  return socketPair((server) => server.listen(0, "127.0.0.1"));
}

export async function unixPair(): Promise<[Socket, Socket]> {
  const folder = mkdtempSync(join(tmpdir(), "goplug-yamux-"));
  try {
    return await socketPair((server) => server.listen(listenPath(folder, "s")));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const psk = {
  ciphers: "PSK-AES128-GCM-SHA256",
  maxVersion: "TLSv1.2",
} as const;
const key = Buffer.alloc(16, 7);

/** TLS with a shared key instead of certificates. */
export async function tlsPair(): Promise<[Socket, Socket]> {
  return tlsOver(await tcpPair());
}

/** The same over any pair of connections. */
export async function tlsOver([a, b]: [Duplex, Duplex]): Promise<[Socket, Socket]> {
  const accepted = new TLSSocket(b, { ...psk, isServer: true, pskCallback: () => key } as object);
  const dialled = tlsConnect({
    ...psk,
    socket: a,
    pskCallback: () => ({ psk: key, identity: "test" }),
    checkServerIdentity: () => undefined,
  });
  await once(dialled, "secureConnect");
  return [dialled, accepted];
}

function reversed<T>(pair: () => Promise<[T, T]>): () => Promise<[T, T]> {
  return async () => {
    const [a, b] = await pair();
    return [b, a];
  };
}

/** The five kinds of connections over which Go runs part of its tests. */
export const connectionKinds: [string, () => Promise<[Duplex, Duplex]>][] = [
  ["pipes", async () => pipePair()],
  ["TCP", tcpPair],
  ["TCP, reversed", reversed(tcpPair)],
  ["TLS", tlsPair],
  ["TLS, reversed", reversed(tlsPair)],
];

/** Runs the event loop until `condition` holds; fails when it does not within 20 s. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const started = performance.now();
  while (!condition()) {
    if (performance.now() - started > 20_000) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

export function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** A client and a server session over the pair, closed at the end of the test. */
export function sessions(
  t: Pick<TestContext, "after">,
  [a, b]: readonly [Duplex, Duplex],
  config: SessionConfig = {},
  serverConfig: SessionConfig = config,
): { client: Session; server: Session } {
  const client = Session.client(a, config);
  const server = Session.server(b, serverConfig);
  // Streams that are still open at the end of the test fail then, and nobody listens.
  for (const session of [client, server]) {
    const open = session.open.bind(session);
    const accept = session.accept.bind(session);
    session.open = async (options) => (await open(options)).on("error", () => {});
    session.accept = async (options) => (await accept(options)).on("error", () => {});
  }
  t.after(async () => {
    await Promise.all([client.close(), server.close()]);
  });
  return { client, server };
}

/** Everything up to the end of the stream. Not with `for await`, after which Node destroys a Duplex. */
export function readAll(stream: Duplex): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.once("end", () => resolve(Buffer.concat(chunks)));
    stream.once("error", reject);
  });
}

/** Bytes that differ by position. */
export function pattern(length: number, seed = 1): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let x = seed >>> 0 || 1;
  for (let i = 0; i < length; i++) {
    x = (Math.imul(x, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[i] = x >>> 24;
  }
  return bytes;
}
