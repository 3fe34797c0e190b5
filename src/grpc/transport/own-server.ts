import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import { Server, type ServerInterceptor, type ServerOptions } from "@grpc/grpc-js";
import {
  type Connection,
  type HeaderList,
  Session,
  type Stream,
  type StreamHandler,
} from "../../http2/index.js";
import { GRPCStdioService } from "../gen/plugin/grpc_stdio.js";
import type { CallLimits } from "./client-call.js";
import { type Handler, handle } from "./handle.js";
import { serverOptions } from "./options.js";
import { nobody, OwnServerCall, refuse, type ServerConnection } from "./server-call.js";
import { Code, fieldOf } from "./status.js";

/** What a plugin prints is with its host, or goes to stderr when it crashes: not in between. */
const stdioPath = GRPCStdioService.streamStdio.path;

type HandleCall<Q, A> = Parameters<typeof Server.prototype.register<Q, A>>[1];

/**
 * grpc-js's server, to add services to; the connections that it is given run on goplug's transport. (Where it listens
 * itself, by `bindAsync`, it is grpc-js's through and through.)
 */
export class OwnServer extends Server {
  readonly #handlers = new Map<string, Handler>();
  readonly #interceptors: readonly ServerInterceptor[];
  readonly #limits: CallLimits;
  readonly #sessionOptions: ReturnType<typeof serverOptions>["session"];
  readonly #sessions = new Set<Session>();

  constructor(options: ServerOptions) {
    super(options);
    this.#interceptors = options.interceptors ?? [];
    ({ limits: this.#limits, session: this.#sessionOptions } = serverOptions(options));
  }

  override register<Q, A>(
    path: string,
    func: HandleCall<Q, A>,
    serialize: (value: A) => Buffer,
    deserialize: (bytes: Buffer) => Q,
    type: string,
  ): boolean {
    if (!super.register(path, func, serialize, deserialize, type)) return false;
    this.#handlers.set(path, { path, func, serialize, deserialize, type } as unknown as Handler);
    return true;
  }

  override unregister(name: string): boolean {
    this.#handlers.delete(name);
    return super.unregister(name);
  }

  /**
   * Serves a connection. @param stream what is under it, to know the peer by
   * @returns the session; it is closed with the connection
   */
  serveConnection(connection: Connection, stream: Duplex | undefined): Session {
    const served = describeConnection(stream, this.#limits);
    const session: Session = Session.server(
      connection,
      (request, headers) => this.#request(request, headers, served),
      this.#sessionOptions,
    );
    this.#sessions.add(session);
    void session.closed.then(() => this.#sessions.delete(session));
    return session;
  }

  /** Takes no further calls; resolves when those that run have ended, and the connections with them. */
  async drainSessions(): Promise<void> {
    for (const session of this.#sessions) session.drain();
    await Promise.all([...this.#sessions].map((session) => session.closed));
  }

  override forceShutdown(): void {
    for (const session of this.#sessions) session.close();
    super.forceShutdown();
  }

  #request(stream: Stream, headers: HeaderList, connection: ServerConnection): StreamHandler {
    const contentType = fieldOf(headers, "content-type");
    if (fieldOf(headers, ":method") !== "POST") {
      refuse(stream, "405", Code.INTERNAL, "gRPC needs POST");
      return nobody(stream);
    }
    if (contentType === undefined || !/^application\/grpc([+;]|$)/.test(contentType)) {
      refuse(stream, "415", Code.UNKNOWN, `invalid gRPC request content-type ${contentType ?? "none"}`);
      return nobody(stream);
    }
    const path = fieldOf(headers, ":path")!;
    const handler = this.#handlers.get(path);
    if (handler === undefined) {
      refuse(stream, "200", Code.UNIMPLEMENTED, this.#unknown(path));
      return nobody(stream);
    }
    const { type, serialize, deserialize } = handler;
    const singleAnswer = type === "unary" || type === "clientStream";
    const codec = { serialize, deserialize, singleAnswer, untilTaken: path === stdioPath };
    const call = new OwnServerCall(stream, headers, codec, connection);
    const definition = {
      path,
      requestStream: type === "clientStream" || type === "bidi",
      responseStream: !singleAnswer,
      requestDeserialize: deserialize,
      responseSerialize: serialize,
    } as Parameters<ServerInterceptor>[0];
    let outer: Parameters<typeof handle>[0] = call;
    for (const interceptor of this.#interceptors) outer = interceptor(definition, outer);
    // The stream must have its handler before anything is answered on it.
    queueMicrotask(() => handle(outer, handler));
    return call;
  }

  /** grpc-go's words (server.go, handleStream). */
  #unknown(path: string): string {
    const slash = path.lastIndexOf("/");
    const service = path.slice(1, slash);
    const method = path.slice(slash + 1);
    for (const known of this.#handlers.keys()) {
      if (known.startsWith(`/${service}/`)) return `unknown method ${method} for service ${service}`;
    }
    return `unknown service ${service}`;
  }
}

function describeConnection(stream: Duplex | undefined, limits: CallLimits): ServerConnection {
  const { localAddress, localPort, remoteAddress, remotePort } = (stream ?? {}) as Partial<TLSSocket>;
  const port = remotePort === undefined ? "" : `:${remotePort}`;
  return {
    limits,
    peer: remoteAddress === undefined ? "unknown" : `${remoteAddress}${port}`,
    info: { localAddress, localPort, remoteAddress, remotePort },
    isFlushed: () => stream?.writableLength === 0,
    authContext() {
      if (!(stream instanceof TLSSocket) || !stream.authorized) return {};
      const certificate = stream.getPeerCertificate();
      return {
        transportSecurityType: "ssl",
        ...(certificate.raw && { sslPeerCertificate: certificate }),
      };
    },
  };
}
