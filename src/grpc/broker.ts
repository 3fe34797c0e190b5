import type { Duplex } from "node:stream";
import type { ConnectionOptions } from "node:tls";
import type { ChannelOptions, Server, ServerOptions } from "@grpc/grpc-js";
import { BrokerError } from "../broker/errors.js";
import type { Logger } from "../hclog/logger.js";
import type { SocketAddress } from "../socket/address.js";
import type { OpenSocket } from "../socket/open.js";
import type { PluginTls } from "../tls/plugin-options.js";
import { limited, waitFor } from "../wait.js";
import type { Channel } from "../yamux/index.js";
import type { BrokerStream } from "./broker-stream.js";
import { connectGrpc, type GrpcConnection, type GrpcTransport, type Way } from "./connection.js";
import type { ExplainLoss } from "./explained-channel.js";
import type { ConnInfo } from "./gen/plugin/grpc_broker.js";
import type { Muxer } from "./muxer.js";
import { Injector, makeServer, stopServer } from "./server.js";

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
  /** What dialled connections go over. */
  readonly transport?: GrpcTransport | undefined;
  /** Options for brokered servers. */
  readonly serverOptions?: ServerOptions | undefined;
  /** Set if brokered connections are streams of the main one. */
  readonly muxer?: (() => Muxer | undefined) | undefined;
  /** Turns an announced address into one that can be dialled here, and the other way round (custom runners). */
  readonly fromOther?: ((address: SocketAddress) => SocketAddress) | undefined;
  readonly toOther?: ((address: SocketAddress) => SocketAddress) | undefined;
  /** Milliseconds that a dial waits and an unused announcement is kept. Default: 5000. */
  readonly timeout?: number | undefined;
}

/** How long a brokered connection may take, and who may call it off. */
export interface BrokerDialOptions {
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds for the other side's announcement. Default: 5000, as in go-plugin. */
  readonly timeout?: number | undefined;
  /** On top of the main connection's. */
  readonly options?: ChannelOptions | undefined;
}

/** An id that this side accepts connections on, as raw streams. */
export interface BrokerListener {
  readonly id: number;
  close(): void;
}

/** A gRPC server on a brokered id. */
export interface BrokeredServer extends AsyncDisposable {
  readonly id: number;
  readonly server: Server;
  /** Ends the server: calls that run may go on for `graceMs` (default 0). */
  stop(graceMs?: number): Promise<void>;
}

type Register = (server: Server) => void | Promise<void>;

/** What came from the other side for an id and was not asked for yet, or who asks for it. */
type Pending =
  | { readonly message: ConnInfo; readonly timer: NodeJS.Timeout }
  | { take(message: ConnInfo): void; fail(error: Error): void };

/** Ids with unasked-for messages; more are dropped, so that a peer cannot fill the memory. */
const MAX_PENDING = 10_000;

/**
 * Brokers further gRPC connections between host and plugin by number, in either direction (go-plugin: GRPCBroker).
 * The two sides count their ids apart. With broker multiplexing the connections are streams of the main one, else
 * each is a socket of its own.
 */
export class GRPCBroker {
  readonly #options: GRPCBrokerOptions;
  readonly #logger: Logger;
  readonly #timeout: number;
  readonly #answers = new Map<number, Pending>();
  readonly #knocks = new Map<number, NodeJS.Timeout>();
  readonly #listeners = new Map<number, BrokerListener>();
  readonly #servers = new Set<BrokeredServer>();
  readonly #connections = new Set<GrpcConnection>();
  #knocking: Promise<unknown> = Promise.resolve();
  #lastId = 0;
  #closed = false;

  /** @internal Definitions are given a broker. */
  constructor(options: GRPCBrokerOptions) {
    this.#options = options;
    this.#logger = options.logger;
    this.#timeout = options.timeout ?? 5000;
    options.stream.onMessage = (message) => this.#receive(message);
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
    this.#checkOpen();
    if (this.#listeners.has(id)) {
      throw new BrokerError("ERR_BROKER_ID_IN_USE", `broker id ${id} is being accepted already`);
    }
    const muxer = this.#options.muxer?.();
    return muxer === undefined
      ? await this.#acceptOnSocket(id, onConnection)
      : this.#acceptOnMuxer(id, onConnection, muxer);
  }

  /**
   * Serves gRPC on `id` until the broker closes or the server is stopped (Go: AcceptAndServe); resolves when the other
   * side can dial it. `register` adds the services.
   *
   * @throws BrokerError ERR_BROKER_ID_IN_USE, ERR_BROKER_CLOSED; TlsError where this side has no certificate to show
   */
  async acceptAndServe(id: number, register: Register, options?: ServerOptions): Promise<BrokeredServer> {
    this.#checkOpen();
    const server = makeServer({ ...this.#options.serverOptions, ...options });
    await register(server);
    const injector = new Injector(server, this.#options.tls?.server(), this.#logger);
    const listener = await this.accept(id, (connection) => injector.inject(connection));
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
  serve(register: Register, options?: ServerOptions): Promise<BrokeredServer> {
    return this.acceptAndServe(this.nextId(), register, options);
  }

  /**
   * Connects to what the other side serves on `id` (Go: Dial). The connection is secured as the main one is.
   *
   * @throws BrokerError ERR_BROKER_TIMEOUT, ERR_BROKER_KNOCK, ERR_BROKER_CLOSED; GrpcConnectError; AbortedError
   */
  async dial(id: number, dial: BrokerDialOptions = {}): Promise<GrpcConnection> {
    this.#checkOpen();
    const muxer = this.#options.muxer?.();
    const { signal } = dial;
    const connect = async (way: Way): Promise<GrpcConnection> => {
      const options = { ...this.#options.channelOptions, ...dial.options };
      const limits = { what: "the brokered connection", signal, defaultTimeout: this.#timeout };
      let made: GrpcConnection | undefined;
      made = await limited(limits, (cut) =>
        connectGrpc(way, {
          tls: this.#options.tls?.client,
          options,
          transport: this.#options.transport,
          logger: this.#logger,
          signal: cut,
          explainLoss: this.#options.explainLoss,
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
    if (muxer !== undefined) {
      const stream = await this.#openMuxed(id, muxer, dial);
      return connect({ open: async () => stream, describe: `broker id ${id}` });
    }
    const { network, address } = await this.#answer(id, "timeout waiting for connection info", dial);
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
    for (const pending of this.#answers.values()) {
      if ("message" in pending) clearTimeout(pending.timer);
      else pending.fail(error);
    }
    this.#answers.clear();
    for (const timer of this.#knocks.values()) clearTimeout(timer);
    this.#knocks.clear();
    for (const served of this.#servers) void served.stop();
    for (const listener of this.#listeners.values()) listener.close();
    for (const connection of this.#connections) connection.close();
  }

  #checkOpen(): void {
    if (this.#closed) throw new BrokerError("ERR_BROKER_CLOSED", "broker closed");
  }

  async #acceptOnSocket(id: number, onConnection: (connection: Duplex) => void): Promise<BrokerListener> {
    const socket = await this.#options.listen();
    const listener = this.#listening(id, () => socket.close());
    socket.server.on("connection", (connection) => {
      connection.setNoDelay(true);
      onConnection(connection);
    });
    const { network, address } = this.#options.toOther?.(socket) ?? socket;
    try {
      await this.#options.stream.send({ serviceId: id, network, address });
    } catch (error) {
      listener.close();
      throw error;
    }
    return listener;
  }

  #acceptOnMuxer(id: number, onConnection: (connection: Duplex) => void, muxer: Muxer): BrokerListener {
    muxer.listen(id, onConnection);
    const listener = this.#listening(id, () => muxer.unlisten(id));
    // The other side may have knocked before anybody was at home.
    if (this.#knocks.has(id)) {
      clearTimeout(this.#knocks.get(id));
      this.#knocks.delete(id);
      this.#openDoor(id, muxer);
    }
    return listener;
  }

  #listening(id: number, close: () => void): BrokerListener {
    const listener: BrokerListener = {
      id,
      close: () => {
        if (this.#listeners.get(id) === listener) this.#listeners.delete(id);
        close();
      },
    };
    this.#listeners.set(id, listener);
    if (this.#closed) listener.close();
    return listener;
  }

  /** Knocks are made one at a time: the stream that comes next is taken for the one that was knocked for last. */
  #openMuxed(id: number, muxer: Muxer, dial: BrokerDialOptions): Promise<Channel> {
    const opened = this.#knocking.then(async () => {
      await this.#options.stream.send({ serviceId: id, knock: { knock: true, ack: false, error: "" } });
      const late = `timeout waiting for multiplexing knock handshake on id ${id}`;
      const { knock } = await this.#answer(id, late, dial);
      if (knock === undefined || !knock.knock || !knock.ack) {
        throw new BrokerError(
          "ERR_BROKER_KNOCK",
          `handshake failed for multiplexing on id ${id}; expected knock and ack, but got ${JSON.stringify(knock)}`,
        );
      }
      if (knock.error !== "") {
        throw new BrokerError("ERR_BROKER_KNOCK", `failed to knock for id ${id}: ${knock.error}`);
      }
      return muxer.open(dial.signal);
    });
    this.#knocking = opened.catch(() => {});
    return opened;
  }

  #receive(message: ConnInfo): void {
    const { serviceId: id, knock } = message;
    if (this.#closed) return;
    if (knock?.knock === true && !knock.ack) {
      this.#knocked(id);
      return;
    }
    const pending = this.#answers.get(id);
    if (pending !== undefined && "take" in pending) {
      pending.take(message);
      return;
    }
    // As in go-plugin, the first announcement that nobody has taken stays.
    if (pending !== undefined) return;
    if (this.#answers.size >= MAX_PENDING) {
      this.#logger.warn("dropping a broker message: too many wait already", { id });
      return;
    }
    const timer = setTimeout(() => this.#answers.delete(id), this.#timeout);
    this.#answers.set(id, { message, timer: timer.unref() });
  }

  #knocked(id: number): void {
    const muxer = this.#options.muxer?.();
    if (muxer === undefined) {
      this.#logger.debug("a knock without multiplexing is ignored", { id });
      return;
    }
    // A stream that came before the knock may not have been taken yet, and would be taken for the one that follows it.
    setImmediate(() => this.#letIn(id, muxer));
  }

  #letIn(id: number, muxer: Muxer): void {
    if (this.#closed) return;
    if (this.#listeners.has(id)) {
      this.#openDoor(id, muxer);
      return;
    }
    if (this.#knocks.size >= MAX_PENDING) return;
    clearTimeout(this.#knocks.get(id));
    this.#knocks.set(id, setTimeout(() => this.#knocks.delete(id), this.#timeout).unref());
  }

  #openDoor(id: number, muxer: Muxer): void {
    const error = muxer.knocked(id);
    this.#options.stream.send({ serviceId: id, knock: { knock: true, ack: true, error } }).catch(() => {
      // The broker has closed; so has the other side's.
    });
  }

  /** Waits for the other side's message about an id that this side dials. */
  #answer(id: number, late: string, dial: BrokerDialOptions): Promise<ConnInfo> {
    const pending = this.#answers.get(id);
    if (pending !== undefined && "message" in pending) {
      clearTimeout(pending.timer);
      this.#answers.delete(id);
      return Promise.resolve(pending.message);
    }
    if (pending !== undefined) {
      return Promise.reject(
        new BrokerError("ERR_BROKER_ID_IN_USE", `broker id ${id} is being dialled already`),
      );
    }
    const limits = {
      what: "the brokered connection",
      signal: dial.signal,
      timeout: dial.timeout,
      defaultTimeout: this.#timeout,
      late: () => new BrokerError("ERR_BROKER_TIMEOUT", late),
    };
    return waitFor<ConnInfo>(limits, (resolve, reject) => {
      this.#answers.set(id, { take: resolve, fail: reject });
      return () => this.#answers.delete(id);
    });
  }
}
