import type { OnReadOpts, Socket, TcpNetConnectOpts } from "node:net";
import { connect as netConnect } from "node:net";
import type { ConnectionOptions } from "node:tls";
import { builtin } from "../builtin.js";
import { badOption } from "../errors.js";
import { isObject } from "../options.js";
import { type WaitOptions, waitFor } from "../wait.js";
import type { SessionConfig } from "./config.js";
import { YamuxError } from "./errors.js";
import type { Role } from "./session.js";
import { Session } from "./session.js";

const READ_BUFFER_SIZE = 262_144;

/** Where {@link dial} connects, and the configuration of the session. */
export interface DialOptions extends SessionConfig, WaitOptions {
  /** Path of a unix socket; or `host` and `port`. */
  path?: string | undefined;
  /** The host of a TCP address. Default: localhost. */
  host?: string | undefined;
  /** The port of a TCP address. */
  port?: number | undefined;
  /** Speak TLS, with these options; the session starts once the peer is authorized. */
  tls?: ConnectionOptions | undefined;
  /** Default "client". */
  role?: Role | undefined;
}

/**
 * Connects and starts a session. The socket is read into one buffer that is used again and again (`onread` of
 * net.connect), and large payloads straight into the memory where they are gathered, which spares an allocation and a copy.
 * @throws YamuxError ERR_YAMUX_CONNECTION_FAILED (its `cause` is the socket's error), ERR_YAMUX_INVALID_CONFIG;
 * OptionError; AbortedError, TimeoutError
 */
export async function dial(options: DialOptions): Promise<Session> {
  if (!isObject(options as unknown))
    throw badOption("options", "an object of path, or of host and port", options);
  const { path, host, port, tls, signal, timeout, role, ...config } = options;
  return waitFor<Session>({ what: "dialling", signal, timeout }, (resolve, reject) => {
    let take: ((chunk: Buffer) => void) | undefined;
    let next: (() => Buffer | undefined) | undefined;
    const buffer = Buffer.allocUnsafeSlow(READ_BUFFER_SIZE);
    const onread: OnReadOpts = {
      buffer: () => next?.() ?? buffer,
      callback: (length, chunk) => {
        take?.((length === chunk.length ? chunk : chunk.subarray(0, length)) as Buffer);
        return true;
      },
    };
    const address = path !== undefined ? { path } : { host, port };
    // tls.connect takes onread like net.connect; its type does not say so.
    const target = { ...tls, ...address, onread };
    const socket: Socket =
      tls !== undefined ? builtin.tls.connect(target) : netConnect(target as TcpNetConnectOpts);
    const onError = (cause: Error): void => {
      socket.destroy();
      reject(
        new YamuxError("ERR_YAMUX_CONNECTION_FAILED", {
          cause,
          message: `connection failed: ${cause.message}`,
        }),
      );
    };
    socket.once("error", onError);
    socket.once(tls !== undefined ? "secureConnect" : "connect", () => {
      socket.off("error", onError);
      try {
        resolve(
          new Session(socket, { ...config, role: role ?? "client" }, (sink, target) => {
            take = sink;
            next = target;
          }),
        );
      } catch (error) {
        socket.destroy();
        reject(error);
      }
    });
    // Called off; a socket that fails while it is being closed has nobody to tell.
    return (cut) => {
      if (cut !== undefined)
        socket
          .off("error", onError)
          .on("error", () => {})
          .destroy();
    };
  });
}
