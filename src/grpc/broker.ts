import type { Duplex } from "node:stream";
import type { ConnectionOptions } from "node:tls";
import type { ChannelOptions, ServerOptions } from "@grpc/grpc-js";
import { BrokerError } from "../broker/errors.js";
import type { CallObserver } from "../diagnostics.js";
import type { Logger } from "../hclog/logger.js";
import { brokerId } from "../options.js";
import type { SocketAddress } from "../socket/address.js";
import type { OpenSocket } from "../socket/open.js";
import type { PluginTls } from "../tls/plugin-options.js";
import { limited } from "../wait.js";
import type { Channel } from "../yamux/index.js";
import { Announcements } from "./announcements.js";
import type { BrokerStream } from "./broker-stream.js";
import { connectGrpc, type GrpcConnection, type GrpcTransport, type Way } from "./connection.js";
import type { ExplainLoss } from "./explained-channel.js";
import type { ConnInfo } from "./gen/plugin/grpc_broker.js";
import type { GrpcServer, RegisterServices } from "./grpc-server.js";
import { Knocking } from "./knocking.js";
import type { Muxer } from "./muxer.js";
import { asDuplex, Injector, makeServer, serverReady, stopServer } from "./server.js";
import { CONNECT_TIMEOUT } from "./transport/transport.js";

export interface GRPCBrokerOptions {
  readonly stream: BrokerStream;
  readonly logger: Logger;
  /** Opens a socket that the other side can dial, in the right directory. */
  readonly listen: () => Promise<OpenSocket>;
  /** The main connection's TLS, as the one that dials and as the one that serves; none without. */
  readonly tls?: { readonly client: ConnectionOptions; readonly server: () => PluginTls } | undefined;
  /** Options for dialled channels. */
  readonly channelOptions?: ChannelOptions | undefined;
  /** Finds the cause of the errors of calls that the loss of a dialled connection has ended. */
  readonly explainLoss?: ExplainLoss | undefined;
  /** Counts the calls on dialled connections. */
  readonly observer?: CallObserver | undefined;
  /** What connections go over, in both directions. */
  readonly transport?: GrpcTransport | undefined;
  /** Options for brokered servers. */
  readonly serverOptions?: ServerOptions | undefined;
  /** Set if brokered connections are streams of the main one. */
  readonly muxer?: (() => Muxer) | undefined;
  /** Turns an announced address into one that can be dialled here, and the other way round (custom runners). */
  readonly fromOther?: ((address: SocketAddress) => SocketAddress) | undefined;
  readonly toOther?: ((address: SocketAddress) => SocketAddress) | undefined;
  /** Milliseconds that a dial waits for an announcement; an unused one is kept 12 times as long. Default: 5000. */
  readonly timeout?: number | undefined;
}

/** How long a brokered connection may take, and who may call it off. */
export interface BrokerDialOptions {
  /** Calls the dial off: AbortedError. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Milliseconds for the other side's announcement. Default: 5000, as in go-plugin. The connection that follows may take
   * 20 s, as in grpc-go.
   */
  readonly timeout?: number | undefined;
  /** On top of the main connection's. */
  readonly options?: ChannelOptions | undefined;
}

/** An id that this side accepts connections on, as raw streams. */
export interface BrokerListener {
  /** What the other side dials. */
  readonly id: number;
  /** Takes no more connections; those that stand stay. The id can be accepted anew. */
  close(): void;
}

/** A gRPC server on a brokered id. */
export interface BrokeredServer extends AsyncDisposable {
  /** What the other side dials. */
  readonly id: number;
  /** The server that `register` was called with. */
  readonly server: GrpcServer;
  /** Ends the server: calls that run may go on for `graceMs` (default 0). */
  stop(graceMs?: number): Promise<void>;
}

/**
 * Brokers further gRPC connections between host and plugin by number, in either direction (go-plugin: GRPCBroker).
 * The two sides count their ids apart. With broker multiplexing the connections are streams of the main one, else
 * each is a socket of its own.
 */
export class GRPCBroker {
  readonly #options: GRPCBrokerOptions;
  readonly #logger: Logger;
  readonly #announcements: Announcements;
  /** Set if brokered connections are streams of the main one. */
  readonly #knocking: Knocking | undefined;
  /** Ids that are accepted, or about to be. */
  readonly #accepted = new Map<number, BrokerListener | "opening">();
  readonly #servers = new Set<BrokeredServer>();
  readonly #connections = new Set<GrpcConnection>();
  /** Ends the dials under way. */
  readonly #ending = new AbortController();
  #lastId = 0;
  #closed = false;

  /** @internal Definitions are given a broker. */
  constructor(options: GRPCBrokerOptions) {
    this.#options = options;
    this.#logger = options.logger;
    const { stream, logger, muxer, timeout = 5000 } = options;
    this.#announcements = new Announcements(logger, timeout);
    this.#knocking = muxer && new Knocking({ stream, muxer, logger, timeout });
    stream.onMessage = (message) => this.#receive(message);
  }

  /** An id that this side has not used yet: 1, 2, 3 ... (wrapping after 2^32 - 1, as Go's counter). */
  nextId(): number {
    this.#lastId = (this.#lastId + 1) >>> 0;
    return this.#lastId;
  }

  /**
   * Takes connections to `id`, as raw streams without TLS, until closed; resolves when the other side has been told
   * (Go: Accept). Use {@link acceptAndServe} for a gRPC server.
   *
   * @throws BrokerError ERR_BROKER_ID_IN_USE, ERR_BROKER_CLOSED
   */
  async accept(id: number, onConnection: (connection: Duplex) => void): Promise<BrokerListener> {
    return this.#accept(id, (connection) => onConnection(asDuplex(connection)));
  }

  /**
   * Serves gRPC on `id` until the broker closes or the server is stopped (Go: AcceptAndServe); resolves when the other
   * side can dial it. `register` adds the services, and the other side is told once it has resolved.
   *
   * @throws BrokerError ERR_BROKER_ID_IN_USE, ERR_BROKER_CLOSED; TlsError where this side has no certificate to show
   */
  async acceptAndServe(
    id: number,
    register: RegisterServices,
    options?: ServerOptions,
  ): Promise<BrokeredServer> {
    this.#checkOpen();
    const { transport, serverOptions } = this.#options;
    const server = await makeServer({ ...serverOptions, ...options }, { transport, logger: this.#logger });
    await register(server);
    await serverReady(server);
    const injector = new Injector(server, this.#options.tls?.server(), this.#logger);
    const inject = (connection: Duplex | Channel): void => injector.inject(connection);
    const listener = await this.#accept(id, inject);
    const stop = async (graceMs = 0): Promise<void> => {
      this.#servers.delete(served);
      listener.close();
      await stopServer(server, injector, graceMs);
    };
    const served: BrokeredServer = { id, server, stop, [Symbol.asyncDispose]: () => stop() };
    this.#servers.add(served);
    return served;
  }

  /** {@link acceptAndServe} on a fresh id, to be sent to the other side. */
  serve(register: RegisterServices, options?: ServerOptions): Promise<BrokeredServer> {
    return this.acceptAndServe(this.nextId(), register, options);
  }

  /**
   * Connects to what the other side serves on `id` (Go: Dial). The connection is secured as the main one is.
   *
   * @throws BrokerError ERR_BROKER_TIMEOUT, ERR_BROKER_KNOCK, ERR_BROKER_CLOSED; GrpcConnectError; AbortedError
   */
  async dial(id: number, dial: BrokerDialOptions = {}): Promise<GrpcConnection> {
    brokerId(id);
    this.#checkOpen();
    const { signal } = dial;
    const connect = async (way: Way): Promise<GrpcConnection> => {
      const options = { ...this.#options.channelOptions, ...dial.options };
      const what = "the brokered connection";
      const limits = { what, signal, defaultTimeout: CONNECT_TIMEOUT, ended: this.#ending.signal };
      let made: GrpcConnection | undefined;
      made = await limited(limits, (cut) =>
        connectGrpc(way, {
          tls: this.#options.tls?.client,
          options,
          transport: this.#options.transport,
          logger: this.#logger,
          signal: cut,
          explainLoss: this.#options.explainLoss,
          observer: this.#options.observer,
          onClosed: () => {
            if (made !== undefined) this.#connections.delete(made);
          },
        }),
      );
      this.#connections.add(made);
      if (this.#closed) made.close();
      this.#checkOpen();
      return made;
    };
    if (this.#knocking !== undefined) {
      const stream = await this.#knocking.dial(id, dial);
      return connect({ open: async () => stream, describe: `broker id ${id}` });
    }
    const { network, address } = await this.#announcements.take(id, dial);
    if (network !== "unix" && network !== "tcp") {
      throw new BrokerError("ERR_BROKER_ADDRESS", `unknown address type: ${address}`);
    }
    return connect(this.#options.fromOther?.({ network, address }) ?? { network, address });
  }

  /** Ends the broker's stream, its servers and the connections that it dialled (Go: Close). */
  close(cause?: unknown): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#options.stream.close(cause);
    const error = new BrokerError("ERR_BROKER_CLOSED", "broker closed", { cause });
    this.#ending.abort(error);
    this.#announcements.close(error);
    this.#knocking?.close(error);
    for (const served of this.#servers) void served.stop();
    for (const listener of this.#accepted.values()) if (listener !== "opening") listener.close();
    for (const connection of this.#connections) connection.close();
  }

  #checkOpen(): void {
    if (this.#closed) throw new BrokerError("ERR_BROKER_CLOSED", "broker closed");
  }

  async #accept(id: number, onConnection: (connection: Duplex | Channel) => void): Promise<BrokerListener> {
    brokerId(id);
    this.#checkOpen();
    if (this.#accepted.has(id)) {
      throw new BrokerError("ERR_BROKER_ID_IN_USE", `broker id ${id} is being accepted already`);
    }
    this.#accepted.set(id, "opening");
    let close: (() => void) | undefined;
    try {
      close = await this.#listen(id, onConnection);
      this.#checkOpen();
    } catch (error) {
      close?.();
      this.#accepted.delete(id);
      throw error;
    }
    const listener: BrokerListener = {
      id,
      close: () => {
        if (this.#accepted.get(id) !== listener) return;
        this.#accepted.delete(id);
        close();
      },
    };
    this.#accepted.set(id, listener);
    return listener;
  }

  /** Begins to take connections; resolves, once the other side can dial, with what ends it. */
  async #listen(id: number, onConnection: (connection: Duplex | Channel) => void): Promise<() => void> {
    const knocking = this.#knocking;
    if (knocking !== undefined) {
      knocking.listen(id, onConnection);
      return () => knocking.unlisten(id);
    }
    const socket = await this.#options.listen();
    socket.server.on("connection", (connection) => {
      connection.setNoDelay(true);
      onConnection(connection);
    });
    try {
      const { network, address } = this.#options.toOther?.(socket) ?? socket;
      await this.#options.stream.send({ serviceId: id, network, address });
    } catch (error) {
      socket.close();
      throw error;
    }
    return () => socket.close();
  }

  #receive(message: ConnInfo): void {
    if (this.#closed || this.#knocking?.receive(message)) return;
    if (message.knock === undefined) this.#announcements.receive(message);
    else this.#logger.debug("a knock without multiplexing is ignored", { id: message.serviceId });
  }
}
