import type { OnReadOpts, Socket, TcpNetConnectOpts } from "node:net";
import { connect as netConnect } from "node:net";
import type { ConnectionOptions } from "node:tls";
import { connect as tlsConnect } from "node:tls";
import { AbortedError } from "../errors.js";
import type { SessionConfig } from "./config.js";
import { YamuxError } from "./errors.js";
import type { Role, WaitOptions } from "./session.js";
import { Session } from "./session.js";

const READ_BUFFER_SIZE = 262_144;

export interface DialOptions extends SessionConfig, WaitOptions {
  /** Path of a unix socket; or `host` and `port`. */
  path?: string | undefined;
  host?: string | undefined;
  port?: number | undefined;
  /** Speak TLS, with these options; the session starts once the peer is authorized. */
  tls?: ConnectionOptions | undefined;
  /** Default "client". */
  role?: Role | undefined;
}

/**
 * Connects and starts a session. The socket is read into one buffer that is used again and again (`onread` of
 * net.connect), which spares an allocation for each read; use it rather than a socket of your own where you can.
 * @throws YamuxError ERR_YAMUX_CONNECTION_FAILED (its `cause` is the socket's error), ERR_YAMUX_INVALID_CONFIG;
 * AbortedError
 */
export function dial(options: DialOptions): Promise<Session> {
  const { path, host, port, tls, signal, role, ...config } = options;
  if (signal?.aborted) return Promise.reject(new AbortedError("dialling", signal.reason));
  return new Promise<Session>((resolve, reject) => {
    let take: ((chunk: Buffer) => void) | undefined;
    const buffer = Buffer.allocUnsafeSlow(READ_BUFFER_SIZE);
    const onread: OnReadOpts = {
      buffer,
      callback: (length) => {
        take?.(length === buffer.length ? buffer : buffer.subarray(0, length));
        return true;
      },
    };
    const address = path !== undefined ? { path } : { host, port };
    // tls.connect takes onread like net.connect; its type does not say so.
    const target = { ...tls, ...address, onread };
    const socket: Socket = tls !== undefined ? tlsConnect(target) : netConnect(target as TcpNetConnectOpts);
    const ready = tls !== undefined ? "secureConnect" : "connect";
    const settle = (): void => {
      signal?.removeEventListener("abort", onAbort);
      socket.off("error", onError);
      socket.off(ready, onReady);
    };
    const onError = (cause: Error): void => {
      settle();
      socket.destroy();
      reject(
        new YamuxError("ERR_YAMUX_CONNECTION_FAILED", {
          cause,
          message: `connection failed: ${cause.message}`,
        }),
      );
    };
    const onAbort = (): void => {
      settle();
      socket.on("error", () => {});
      socket.destroy();
      reject(new AbortedError("dialling", signal?.reason));
    };
    const onReady = (): void => {
      settle();
      try {
        resolve(
          new Session(socket, { ...config, role: role ?? "client" }, (sink) => {
            take = sink;
          }),
        );
      } catch (error) {
        socket.destroy();
        reject(error as Error);
      }
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    socket.once("error", onError);
    socket.once(ready, onReady);
  });
}
