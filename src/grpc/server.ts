import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { ServerOptions } from "@grpc/grpc-js";
import type { Logger } from "../hclog/logger.js";
import { channelConnection, duplexConnection } from "../http2/index.js";
import { readInPlace } from "../in-place.js";
import { type TlsAcceptHandlers, tlsAcceptor } from "../tls/accept.js";
import type { PluginTls } from "../tls/plugin-options.js";
import { within } from "../wait.js";
import type { Channel } from "../yamux/index.js";
import { chooseTransport, type GrpcTransport } from "./connection.js";
import type { GrpcJsServer } from "./grpc-js-server.js";
import { loadGrpcJs, needs } from "./load-grpc-js.js";
import type { Methods } from "./method.js";
import { type Handlers, OwnServer } from "./transport/own-server.js";

/** Who speaks HTTP/2 for a server, and who is told when an option decides on it. */
export interface ServerTransport {
  readonly transport?: GrpcTransport | undefined;
  readonly logger?: Logger | undefined;
}

/** A server to add services to: goplug's own, or grpc-js's where that is the transport. */
export type AnyServer = OwnServer | GrpcJsServer;

/**
 * A server without limits on the size of messages, as go-plugin's hosts have none; options come on top.
 * @throws GrpcMissingError
 */
export async function makeServer(
  options: ServerOptions | undefined,
  { transport, logger }: ServerTransport = {},
): Promise<AnyServer> {
  const all: ServerOptions = {
    "grpc.max_receive_message_length": -1,
    "grpc.max_send_message_length": -1,
    "grpc.enable_channelz": 0,
    ...options,
  };
  const server = await serverOf(chooseTransport(transport, all, logger), all);
  // The host is told by the call's status, the plugin's author here.
  server.onBadAnswer = (method, error) => logger?.error("grpc: an answer cannot be sent", { method, error });
  return server;
}

async function serverOf(transport: GrpcTransport, options: ServerOptions): Promise<AnyServer> {
  if (transport === "goplug") return new OwnServer(options);
  const grpcJs = await loadGrpcJs(needs.transport);
  const { grpcJsServer } = await import("./grpc-js-server.js");
  return grpcJsServer(grpcJs, options);
}

/** Adds one of goplug's own services, which take either kind of metadata. */
export function addOwnService(server: AnyServer, methods: Methods, handlers: Handlers): void {
  if (server instanceof OwnServer) server.addOwnService(methods, handlers);
  else server.addService(methods, handlers);
}

/**
 * Resolves when all that was added to a server can be served.
 * @throws GrpcMissingError
 */
export async function serverReady(server: AnyServer): Promise<void> {
  if (server instanceof OwnServer) await server.ready();
}

/** Hands connections to a server that does not listen itself. */
export class Injector {
  readonly #connections = new Set<{ destroy(): unknown }>();
  #onEmpty: (() => void) | undefined;
  readonly #serve: (connection: Duplex | Channel) => void;

  constructor(server: AnyServer, tls: PluginTls | undefined, logger: Logger) {
    const inject = server instanceof OwnServer ? this.#own(server) : this.#grpcJs(server);
    this.#serve = tls === undefined ? inject : secured(tls, logger, inject);
  }

  /** Connections that are open now. */
  get size(): number {
    return this.#connections.size;
  }

  /** Takes a socket, or a stream of a multiplexed connection. */
  inject(connection: Duplex | Channel): void {
    this.#serve(connection);
  }

  /** Resolves once no connection is open. */
  async drained(): Promise<void> {
    if (this.#connections.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
  }

  /** Ends all connections at once. */
  destroy(): void {
    for (const connection of this.#connections) connection.destroy();
  }

  #own(server: OwnServer): (connection: Duplex | Channel) => void {
    return (connection) => {
      const isChannel = "toDuplex" in connection;
      const bytes = isChannel
        ? channelConnection(connection)
        : duplexConnection(connection, readInPlace(connection));
      this.#connections.add(bytes);
      const session = server.serveConnection(bytes, isChannel ? undefined : connection);
      void session.closed.then(() => this.#gone(bytes));
    };
  }

  #grpcJs({ injector }: GrpcJsServer): (connection: Duplex | Channel) => void {
    return (given) => {
      const connection = asDuplex(given);
      this.#connections.add(connection);
      connection.once("close", () => this.#gone(connection));
      injector.injectConnection(connection);
    };
  }

  #gone(connection: { destroy(): unknown }): void {
    this.#connections.delete(connection);
    if (this.#connections.size === 0) this.#onEmpty?.();
  }
}

/** A stream of a multiplexed connection as a Duplex. */
export function asDuplex(connection: Duplex | Channel): Duplex {
  if (!("toDuplex" in connection)) return connection;
  const stream = connection.toDuplex();
  // The session's end ends its streams with an error, whoever has them by then.
  stream.on("error", () => {});
  return stream;
}

/** Milliseconds that a client may take for its TLS handshake (grpc-go: server.go, connectionTimeout). */
const HANDSHAKE_TIMEOUT = 120_000;

function secured(
  tls: PluginTls,
  logger: Logger,
  inject: (connection: Duplex) => void,
): (connection: Duplex | Channel) => void {
  // grpc-go's clients insist on the name of HTTP/2, and Node's server on having been asked for it.
  const withAlpn = { ...tls, options: { ALPNProtocols: ["h2"], ...tls.options } };
  const handlers: TlsAcceptHandlers = {
    secured(socket) {
      // HTTP/2 has no use for a connection that is half open.
      socket.allowHalfOpen = false;
      inject(socket);
    },
    refused: (error) => logger.warn("plugin: connection refused", { error }),
  };
  const accept = tlsAcceptor(withAlpn, handlers, HANDSHAKE_TIMEOUT);
  // Node shakes hands on any Duplex; only the types say Socket.
  return (connection) => accept(asDuplex(connection) as Socket);
}

/**
 * Ends a server: no new calls; those that run may go on for `graceMs`, then they are cancelled.
 */
export async function stopServer(server: AnyServer, injector: Injector, graceMs: number): Promise<void> {
  const drained = drain(server, injector).then(() => true);
  if ((await within(graceMs, drained)) === undefined) server.forceShutdown();
  // grpc-js's forceShutdown reaches the sessions only where channelz counts them.
  injector.destroy();
}

/** Takes no new calls, and resolves once those that run have ended. */
async function drain(server: AnyServer, injector: Injector): Promise<void> {
  if (server instanceof OwnServer) {
    await server.drainSessions();
    return;
  }
  await new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
  // Since Node 24 closing a server begins to close its sessions, which grpc-js then takes for closed though calls run.
  await injector.drained();
}
