import type { Socket } from "node:net";
import type { ConnectionOptions, TLSSocket } from "node:tls";
import { builtin } from "../builtin.js";
import type { SocketTarget } from "../socket/address.js";
import { waitFor } from "../wait.js";
import { TlsError, tlsFailure, unusableOptions } from "./errors.js";
import { beginHandshake } from "./pace.js";

/** Milliseconds that a handshake may take, on either side, unless told otherwise. */
export const DEFAULT_HANDSHAKE_TIMEOUT = 10_000;

/** Where to connect to: a unix socket, a TCP address, or a socket that is connected already and is taken over. */
export type TlsTarget = SocketTarget | { socket: Socket };

export interface ConnectTlsOptions {
  /** See hostTlsOptions. */
  readonly tls: ConnectionOptions;
  /** Milliseconds for connection and handshake together. Default, and 0: 10,000. */
  readonly timeout?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Connects and shakes hands as the client; resolves once the server's certificate is accepted. With TLS 1.3 a server
 * that refuses the client's certificate says so only afterwards: the socket then ends or errors.
 *
 * The socket stays open for writing when the peer has ended its side, as Go's connections do. On failure the
 * connection (also one that was given) is destroyed.
 *
 * @throws TlsError (any of its codes), AbortedError
 */
export function connectTls(target: TlsTarget, options: ConnectTlsOptions): Promise<TLSSocket> {
  const { tls, timeout, signal } = options;
  const what = `TLS connection to ${describe(target)}`;
  const limits = {
    what: "the TLS handshake",
    signal,
    timeout,
    defaultTimeout: DEFAULT_HANDSHAKE_TIMEOUT,
    late: (milliseconds: number) =>
      new TlsError("ERR_TLS_TIMEOUT", `${what}: no handshake within ${milliseconds} ms`),
    keepAlive: false,
  };
  const given = "socket" in target ? target.socket : undefined;
  // Its errors are reported by the TLS socket above it, and before there is one by its end.
  given?.on("error", () => {});
  const secured = waitFor<TLSSocket>(limits, (resolve, reject) => {
    let socket: TLSSocket | undefined;
    let isOver = false;
    const fail = (error: Error): void => {
      reject(error);
      drop();
    };
    const drop = (): void => {
      // What the dying socket still reports has nobody left to tell.
      socket?.on("error", () => {});
      socket?.destroy();
    };
    const onError = (error: Error): void => fail(tlsFailure(what, error));
    const onClose = (): void =>
      fail(new TlsError("ERR_TLS_HANDSHAKE", `${what}: the peer closed the connection during the handshake`));
    const onSecure = (): void => {
      // Not before: a peer that leaves in mid-handshake must end it.
      socket!.allowHalfOpen = true;
      resolve(socket!);
    };
    beginHandshake(() => {
      if (isOver) return;
      if (given?.destroyed) {
        onClose();
        return;
      }
      try {
        socket = builtin.tls.connect({ ...tls, ...target });
      } catch (error) {
        reject(unusableOptions(error));
        return;
      }
      socket.once("secureConnect", onSecure);
      socket.once("error", onError);
      socket.once("close", onClose);
    });
    return (cut) => {
      isOver = true;
      socket?.off("secureConnect", onSecure);
      socket?.off("error", onError);
      socket?.off("close", onClose);
      if (cut !== undefined) drop();
    };
  });
  return secured.catch((error: unknown) => {
    given?.destroy();
    throw error;
  });
}

function describe(target: TlsTarget): string {
  if ("path" in target) return `unix ${target.path}`;
  if ("port" in target) return `tcp ${target.host}:${target.port}`;
  return "the plugin";
}
