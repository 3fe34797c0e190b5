import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { ConnectionOptions, PeerCertificate } from "node:tls";
import type { AbortedError } from "../../errors.js";
import {
  type Connection,
  duplexConnection,
  type Http2Error,
  Session,
  type SessionOptions,
} from "../../http2/index.js";
import { type SocketAddress, type SocketTarget, socketTarget } from "../../socket/address.js";
import { connectInPlace } from "../../socket/connect.js";
import { CERTIFICATE_NAME } from "../../tls/certificate.js";
import { connectTls } from "../../tls/connect.js";
import { sharedContext } from "../../tls/context.js";
import { unlessCut } from "../../wait.js";
import { GrpcConnectError } from "../errors.js";
import { isSecured } from "./secured.js";

/** Milliseconds for a connection with its handshake (grpc-go: dialoptions.go, minConnectTimeout). */
export const CONNECT_TIMEOUT = 20_000;

/** A connection that was dialled, and what is known of its other end. */
export interface Dialled {
  readonly connection: Connection;
  /** The socket or other stream under it, if there is one. */
  readonly stream?: Duplex | undefined;
}

/** Makes a connection. @throws any error; it becomes a GrpcConnectError */
export type Dial = (signal: AbortSignal | undefined) => Promise<Dialled>;

/** Where a transport stands: grpc-js's connectivity states. */
export type TransportState = "connecting" | "ready" | "idle" | "shutdown";

export interface TransportOptions {
  readonly dial: Dial;
  /** Whether to dial again, when a call is made, once the connection is lost. */
  readonly redial: boolean;
  /** What to say of the other end in messages. */
  readonly describe: string;
  readonly session: SessionOptions;
}

/** A client's connection, and the one that follows when the server has ended it. */
export class Transport {
  readonly #options: TransportOptions;
  #state: TransportState = "connecting";
  #session: Session | undefined;
  #stream: Duplex | undefined;
  #dialling: Promise<Session> | undefined;
  #watchers = new Set<() => void>();
  #calls = 0;

  private constructor(options: TransportOptions) {
    this.#options = options;
  }

  /**
   * Dials, and waits until the server has spoken HTTP/2.
   * @throws GrpcConnectError, AbortedError
   */
  static async connect(options: TransportOptions, signal?: AbortSignal): Promise<Transport> {
    const transport = new Transport(options);
    await transport.#connect(signal);
    return transport;
  }

  get state(): TransportState {
    return this.#state;
  }

  /** The session for a call that begins now; a promise where it is yet to be made. Rejects with GrpcConnectError. */
  session(): Session | Promise<Session> {
    if (this.#state === "ready") return this.#session!;
    if (this.#state === "shutdown") return Promise.reject(closedError());
    if (this.#dialling !== undefined) return this.#dialling;
    if (this.#options.redial) return this.#connect(undefined);
    return Promise.reject(this.#lost());
  }

  get authContext(): { transportSecurityType?: string; sslPeerCertificate?: PeerCertificate } {
    if (!isSecured(this.#stream)) return {};
    return { transportSecurityType: "ssl", sslPeerCertificate: this.#stream.getPeerCertificate() };
  }

  /** Calls back at each change of the state, until released. */
  watch(listener: () => void): () => void {
    this.#watchers.add(listener);
    return () => void this.#watchers.delete(listener);
  }

  /** Calls keep the process alive, the connection by itself does not. */
  callBegins(): void {
    if (this.#calls++ === 0) referable(this.#stream)?.ref();
  }

  callEnds(): void {
    if (--this.#calls === 0) referable(this.#stream)?.unref();
  }

  /** Ends the connection: calls that run fail. */
  close(): void {
    if (this.#state === "shutdown") return;
    this.#set("shutdown");
    this.#session?.close();
  }

  #connect(signal: AbortSignal | undefined): Promise<Session> {
    this.#set("connecting");
    this.#dialling = this.#dial(signal).then(
      (session) => {
        this.#dialling = undefined;
        this.#set("ready");
        return session;
      },
      (error: unknown) => {
        this.#dialling = undefined;
        this.#set("idle");
        throw error;
      },
    );
    return this.#dialling;
  }

  async #dial(signal: AbortSignal | undefined): Promise<Session> {
    const { dial, describe } = this.#options;
    const fail = (error: Error): GrpcConnectError =>
      new GrpcConnectError(`cannot connect to ${describe}: ${error.message}`, error);
    let dialled: Dialled;
    try {
      dialled = await dial(signal);
    } catch (error) {
      if (isAborted(error)) throw error;
      throw fail(error as Error);
    }
    const session = Session.client(dialled.connection, this.#options.session);
    try {
      await unlessCut(session.ready, { what: "the gRPC connection", signal });
    } catch (error) {
      session.close();
      dialled.connection.destroy();
      if (isAborted(error)) throw error;
      throw fail(error as Error);
    }
    if (this.#state === "shutdown") {
      session.close();
      throw closedError();
    }
    this.#session = session;
    this.#stream = dialled.stream;
    if (this.#calls === 0) referable(this.#stream)?.unref();
    session.onEnding(() => {
      if (this.#session === session) this.#set("idle");
    });
    return session;
  }

  #lost(): GrpcConnectError {
    const { describe } = this.#options;
    const why = this.#session?.error as Http2Error | undefined;
    return new GrpcConnectError(`no connection to ${describe}: ${why?.message ?? "it has ended"}`, why);
  }

  #set(state: TransportState): void {
    if (this.#state === state || this.#state === "shutdown") return;
    this.#state = state;
    for (const listener of [...this.#watchers]) listener();
  }
}

function closedError(): GrpcConnectError {
  return new GrpcConnectError("the connection has been closed");
}

function isAborted(error: unknown): error is AbortedError {
  return (error as { code?: unknown } | undefined)?.code === "ERR_ABORTED";
}

function referable(stream: Duplex | undefined): { ref(): unknown; unref(): unknown } | undefined {
  // A socket that is gone takes ref() for a wish that it keeps for its next connection.
  return stream !== undefined && !stream.destroyed && "unref" in stream && typeof stream.unref === "function"
    ? (stream as unknown as { ref(): unknown; unref(): unknown })
    : undefined;
}

/** Dials an address, with TLS if there are options for it. */
export function dialAddress(address: SocketAddress, tls: ConnectionOptions | undefined): Dial {
  return async (signal) => {
    if (tls !== undefined) return secured(socketTarget(address), tls, signal);
    const { socket, read } = await connectInPlace(address, signal);
    return { connection: duplexConnection(socket, read), stream: socket };
  };
}

/** Secures a stream that is there already. */
export async function secured(
  target: SocketTarget | { socket: Socket },
  tls: ConnectionOptions,
  signal: AbortSignal | undefined,
): Promise<Dialled> {
  const options = {
    servername: CERTIFICATE_NAME,
    ...tls,
    secureContext: sharedContext(tls),
    ALPNProtocols: ["h2"],
  };
  const socket = await connectTls(target, { tls: options, timeout: CONNECT_TIMEOUT, signal });
  // A server that knows no ALPN is taken at its word; one that chose something else is not.
  if (socket.alpnProtocol !== "h2" && socket.alpnProtocol !== false && socket.alpnProtocol !== null) {
    socket.destroy();
    throw new Error(`the server speaks ${socket.alpnProtocol}, not HTTP/2`);
  }
  // HTTP/2 has no use for a connection that is half open.
  socket.allowHalfOpen = false;
  socket.setNoDelay(true);
  return { connection: duplexConnection(socket), stream: socket };
}
