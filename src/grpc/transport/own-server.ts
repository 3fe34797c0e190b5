import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { ServerInterceptor, ServerOptions, UntypedHandleCall } from "@grpc/grpc-js";
import { OptionError } from "../../errors.js";
import {
  type Connection,
  type HeaderList,
  Session,
  type Stream,
  type StreamHandler,
} from "../../http2/index.js";
import { loadGrpcJs, needs } from "../load-grpc-js.js";
import { Metadata } from "../metadata.js";
import type { Method, Methods } from "../method.js";
import { stdioMethods } from "../own-services.js";
import type { CallLimits } from "./client-call.js";
import { defaultHandler, type Handler, type HandlerFunction, handle, isWhole, typeOf } from "./handle.js";
import type { AnyMetadata, MetadataClass } from "./metadata.js";
import { serverOptions } from "./options.js";
import { nobody, refuse } from "./refusal.js";
import { isSecured } from "./secured.js";
import { OwnServerCall, type ServerConnection } from "./server-call.js";
import { Code, fieldOf } from "./status.js";

/** What a plugin prints is with its host, or goes to stderr when it crashes: not in between. */
const stdioPath = stdioMethods.streamStdio.path;

/** Handlers by the names of their methods; those that are missing answer UNIMPLEMENTED. */
export interface Handlers {
  // biome-ignore lint/suspicious/noExplicitAny: what the calls' messages are is the handlers' business
  readonly [name: string]: any;
}

/** Takes the path of a method and what is wrong with its answer. */
export type BadAnswer = (path: string, error: unknown) => void;

/**
 * A server whose connections run on goplug's transport. For those who add services it is grpc-js's server: `addService`
 * takes that package's definitions and handlers, who get its metadata. Services that know goplug's own are served without
 * the package.
 */
export class OwnServer {
  /** Told of the services that are added. */
  onService: (methods: Methods) => void = () => {};
  /** Told of answers that no message can be made of: a fault of the service's author. */
  onBadAnswer: BadAnswer = () => {};
  readonly #handlers = new Map<string, Handler>();
  readonly #interceptors: readonly ServerInterceptor[];
  readonly #limits: CallLimits;
  readonly #sessionOptions: ReturnType<typeof serverOptions>["session"];
  readonly #sessions = new Set<Session>();
  /** grpc-js's class of metadata, once it is there. */
  #GrpcJsMetadata: MetadataClass<AnyMetadata> | undefined;
  #loading: Promise<void> | undefined;

  constructor(options: ServerOptions) {
    this.#interceptors = options.interceptors ?? [];
    ({ limits: this.#limits, session: this.#sessionOptions } = serverOptions(options));
    if (this.#interceptors.length > 0) this.#load(needs.interceptors);
  }

  /**
   * Resolves when all that was added can be served.
   * @throws GrpcMissingError
   */
  async ready(): Promise<void> {
    await this.#loading;
  }

  // grpc-js's Server

  /** Adds a service with handlers of grpc-js's kind. */
  addService(service: Methods, implementation: Handlers): void {
    this.#load(needs.service);
    this.#add(service, implementation, true);
  }

  removeService(service: Methods): void {
    if (service === null || typeof service !== "object")
      throw new OptionError("service", "removeService() requires object as argument");
    for (const { path } of Object.values(service)) this.unregister(path);
  }

  register(
    path: string,
    func: UntypedHandleCall,
    serialize: (value: never) => Buffer,
    deserialize: (bytes: Buffer) => unknown,
    type: string,
  ): boolean {
    this.#load(needs.service);
    const method = { path, type: type as Handler["type"], func: func as HandlerFunction };
    return this.#register(method, serialize, deserialize, true);
  }

  unregister(path: string): boolean {
    return this.#handlers.delete(path);
  }

  /** Adds a service whose handlers are of the same kind, and get goplug's metadata. */
  addOwnService(service: Methods, implementation: Handlers): void {
    this.#add(service, implementation, false);
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

  forceShutdown(): void {
    for (const session of this.#sessions) session.close();
  }

  /** As grpc-js's addService. */
  #add(service: Methods, implementation: Handlers, isGrpcJs: boolean): void {
    if (!isObject(service) || !isObject(implementation))
      throw new OptionError("service", "addService() requires two objects as arguments");
    const methods: [string, Method<unknown, unknown>][] = Object.entries(service);
    if (methods.length === 0) throw new OptionError("service", "Cannot add an empty service to a server");
    for (const [name, method] of methods) {
      const { path, originalName, responseSerialize, requestDeserialize } = method;
      const given =
        implementation[name] ?? (originalName === undefined ? undefined : implementation[originalName]);
      const type = typeOf(method);
      const func: HandlerFunction = given?.bind(implementation) ?? defaultHandler(type, name);
      if (!this.#register({ path, type, func }, responseSerialize, requestDeserialize, isGrpcJs))
        throw new OptionError("service", `Method handler for ${path} already provided.`);
    }
    this.onService(service);
  }

  #register(
    named: Pick<Handler, "path" | "type" | "func">,
    serialize: (value: never) => Buffer,
    deserialize: (bytes: Buffer) => unknown,
    isGrpcJs: boolean,
  ): boolean {
    const { path, type } = named;
    if (this.#handlers.has(path)) return false;
    const requestStream = type === "clientStream" || type === "bidi";
    const responseStream = type === "serverStream" || type === "bidi";
    const serializeAnswer = (value: never): Buffer => {
      try {
        return serialize(value);
      } catch (error) {
        this.onBadAnswer(path, error);
        throw error;
      }
    };
    // Interceptors are written against grpc-js, whatever handler is behind them.
    const takesGrpcJs = isGrpcJs || this.#interceptors.length > 0;
    const handler: Handler = {
      ...named,
      takesGrpcJs,
      method: {
        serialize: serializeAnswer,
        deserialize,
        singleAnswer: !responseStream,
        untilTaken: path === stdioPath,
        Metadata: takesGrpcJs ? this.#GrpcJsMetadata : Metadata,
        begin: (call) => this.#begin(call, handler),
      },
      definition: {
        path,
        requestStream,
        responseStream,
        requestDeserialize: deserialize,
        responseSerialize: serialize,
      } as Handler["definition"],
    };
    this.#handlers.set(path, handler);
    return true;
  }

  /** Whoever has definitions of grpc-js's has loaded the package: this only finds it. */
  #load(what: string): void {
    this.#loading ??= loadGrpcJs(what).then((grpcJs) => {
      this.#GrpcJsMetadata = grpcJs.Metadata;
      for (const { takesGrpcJs, method } of this.#handlers.values())
        if (takesGrpcJs) method.Metadata = grpcJs.Metadata;
    });
    this.#loading.catch(() => {});
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
    const call = new OwnServerCall(stream, headers, handler.method, connection);
    for (const interceptor of this.#interceptors)
      call.outermost = interceptor(handler.definition, call.outermost);
    return call;
  }

  #begin(call: OwnServerCall, handler: Handler): void {
    if (handler.method.Metadata === undefined) void this.#handleLater(call, handler);
    // One that waits for its request is not kept up by it: the calls of what was read at once end one after another.
    else if (isWhole(handler)) handle(call, handler);
    // One that may end its call at once has then seen how much of the request is there.
    else queueMicrotask(() => handle(call, handler));
  }

  /** Handles a call that came before grpc-js was there. */
  async #handleLater(call: OwnServerCall, handler: Handler): Promise<void> {
    try {
      await this.#loading;
    } catch (error) {
      call.sendStatus({ code: Code.INTERNAL, details: (error as Error).message });
      return;
    }
    handle(call, handler);
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
      if (!isSecured(stream) || !stream.authorized) return {};
      const certificate = stream.getPeerCertificate();
      return {
        transportSecurityType: "ssl",
        ...(certificate.raw && { sslPeerCertificate: certificate }),
      };
    },
  };
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}
