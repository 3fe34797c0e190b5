import type { Duplex } from "node:stream";
import { publishBroker } from "../diagnostics.js";
import { badOption } from "../errors.js";
import { guardedLogger } from "../hclog/guarded-logger.js";
import { type Logger, nullLogger } from "../hclog/logger.js";
import {
  type Caller,
  type CodecOptions,
  caller,
  type MethodTable,
  type OptionalMethods,
  type PartialReceiver,
  type RegisterOptions,
  RpcClient,
  type RpcClientOptions,
  RpcServer,
  type ServerLimits,
  type ServerLogger,
} from "../netrpc/index.js";
import { abortSignal, brokerId, checkOptions, timeLimit } from "../options.js";
import { type Limits, limited, type WaitOptions } from "../wait.js";
import type { Channel, Session } from "../yamux/index.js";
import { BrokerError } from "./errors.js";
import { IncomingStreams } from "./incoming-streams.js";
import { idBytes, readId } from "./read-id.js";

/** How a broker behaves; `maxUnansweredBytes` is the default of what it serves. */
export interface MuxBrokerOptions extends ServerLimits {
  /** Takes warnings about streams that nobody accepts and callbacks that break off. Default: nothing is logged. */
  logger?: Logger | undefined;
  /** Given to the net/rpc clients that the broker makes. */
  onLost?: RpcClientOptions["onLost"];
  /** Counts the calls of the net/rpc clients that dial. */
  observer?: RpcClientOptions["observer"];
  /** Milliseconds that accept and dial wait, and that a stream nobody accepted is kept. Default: 5000. */
  timeout?: number | undefined;
}

/** A net/rpc service to be reached on a brokered stream. */
export interface BrokerService extends CodecOptions {
  /** Default: `Plugin`, the name that go-plugin serves under. More than one name may be given. */
  readonly names?: readonly string[];
}

/** A net/rpc service to be served on a brokered stream. */
export type ServedService<T extends MethodTable, O extends OptionalMethods<T>> = BrokerService &
  ServerLimits &
  RegisterOptions<T, O>;

const PLUGIN_NAME = "Plugin";

/** Milliseconds; go-plugin's own. */
const DEFAULT_TIMEOUT = 5000;

/**
 * Brokers streams of one session by number, so that either side can offer the other further connections, for
 * callbacks or raw data (go-plugin: MuxBroker). The ids of the two sides are counted apart: the same number may be
 * in use in both directions.
 */
export class MuxBroker {
  readonly #session: Session;
  readonly #logger: Logger;
  readonly #incoming: IncomingStreams;
  readonly #onLost: RpcClientOptions["onLost"];
  readonly #observer: RpcClientOptions["observer"];
  readonly #timeout: number;
  readonly #maxUnansweredBytes: number | undefined;
  /** A service that ends because this side has closed the session is no news. */
  readonly #serverLogger: ServerLogger = {
    warn: (message, fields) => {
      const ended = this.#session.state === "closing" || this.#session.state === "closed";
      if (!ended || this.#session.error !== undefined) this.#logger.warn(message, fields);
    },
  };
  #lastId = 0;

  /** Takes over the session's incoming streams. The first three, go-plugin's own, must have been accepted before. */
  constructor(session: Session, options: MuxBrokerOptions = {}) {
    if (typeof (session as Partial<Session> | undefined)?.openChannel !== "function") {
      throw badOption("session", "a yamux session", session);
    }
    checkOptions(options);
    this.#session = session;
    this.#logger = guardedLogger(options.logger ?? nullLogger);
    this.#onLost = options.onLost;
    this.#observer = options.observer;
    this.#maxUnansweredBytes = options.maxUnansweredBytes;
    this.#timeout = timeLimit("timeout", options.timeout, DEFAULT_TIMEOUT);
    this.#incoming = new IncomingStreams(session, this.#logger, this.#timeout);
  }

  /** An id that this side has not used yet: 1, 2, 3 ... (wrapping after 2^32 - 1, as Go's counter). */
  nextId(): number {
    this.#lastId = (this.#lastId + 1) >>> 0;
    return this.#lastId;
  }

  /**
   * Waits for the other side to dial `id` and gives the raw stream.
   *
   * @throws BrokerError - ERR_BROKER_TIMEOUT, with go-plugin's "timeout waiting for accept"
   */
  async accept(id: number, wait?: WaitOptions): Promise<Duplex> {
    return (await this.acceptChannel(id, wait)).toDuplex();
  }

  /** Dials an id that the other side accepts, and gives the raw stream. */
  async dial(id: number, wait?: WaitOptions): Promise<Duplex> {
    return (await this.dialChannel(id, wait)).toDuplex();
  }

  /**
   * Offers a raw stream to the other side and returns the id to send it: `use` gets the stream once it is dialled. What
   * `use` throws resets the stream and is logged, as is it when nobody dials in time.
   *
   * @example
   * const id = broker.offer((stream) => serveReader(stream, body));
   */
  offer(use: (stream: Duplex) => unknown, wait?: WaitOptions): number {
    checkOptions(wait, { signal: abortSignal });
    const id = this.nextId();
    const run = async (): Promise<void> => {
      const stream = await this.accept(id, wait);
      try {
        await use(stream);
      } catch (error) {
        // A yamux stream needs no listener for that.
        stream.destroy(error as Error);
        throw error;
      }
    };
    run().catch((error: unknown) => this.#logger.error("brokered stream failed", { id, error }));
    return id;
  }

  /**
   * Waits for the other side to dial `id`, then serves net/rpc on that stream under the name `Plugin` until it ends.
   * Rejects only when nobody dials.
   */
  async acceptAndServe<const T extends MethodTable, const O extends OptionalMethods<T> = undefined>(
    id: number,
    methods: T,
    receiver: PartialReceiver<T, O>,
    options: ServedService<T, O> & WaitOptions = {},
  ): Promise<void> {
    const { names = [PLUGIN_NAME], optional, signal, timeout } = options;
    const { registry, invalidUtf8, maxUnansweredBytes = this.#maxUnansweredBytes } = options;
    const server = new RpcServer({ logger: this.#serverLogger, registry, invalidUtf8, maxUnansweredBytes });
    for (const name of names) server.register(name, methods, receiver, { optional });
    await server.serve(await this.acceptChannel(id, { signal, timeout }));
  }

  /**
   * Offers a service to the other side and returns the id to send it. The offer ends when nobody dials in time; that
   * is logged.
   */
  serve<const T extends MethodTable, const O extends OptionalMethods<T> = undefined>(
    methods: T,
    receiver: PartialReceiver<T, O>,
    options: ServedService<T, O> & WaitOptions = {},
  ): number {
    checkOptions(options, { signal: abortSignal });
    const id = this.nextId();
    this.acceptAndServe(id, methods, receiver, options).catch((error: unknown) => {
      this.#logger.error("plugin acceptAndServe error", { id, error });
    });
    return id;
  }

  /** Dials an id that the other side serves net/rpc on, and gives its typed methods. */
  async connect<const T extends MethodTable>(
    id: number,
    methods: T,
    { names = [PLUGIN_NAME], ...options }: BrokerService & WaitOptions = {},
  ): Promise<Caller<T> & AsyncDisposable> {
    const client = await this.connectClient(id, options);
    const methodsOf = caller(client, names[0]!, methods);
    return Object.assign(methodsOf, { [Symbol.asyncDispose]: () => client.close() });
  }

  /** Dials an id and gives an untyped net/rpc client (Go: rpc.NewClient on a dialled stream). */
  async connectClient(
    id: number,
    { registry, invalidUtf8, ...wait }: CodecOptions & WaitOptions = {},
  ): Promise<RpcClient> {
    const channel = await this.dialChannel(id, wait);
    return new RpcClient(channel, { onLost: this.#onLost, observer: this.#observer, registry, invalidUtf8 });
  }

  /** {@link accept} without the cost of a Duplex. */
  async acceptChannel(id: number, wait: WaitOptions = {}): Promise<Channel> {
    brokerId(id);
    const channel = await this.#incoming.take(id, this.#limits(wait, "timeout waiting for accept"));
    channel.write(idBytes(id));
    publishBroker({ action: "accept", id });
    return channel;
  }

  /** {@link dial} without the cost of a Duplex. */
  async dialChannel(id: number, wait: WaitOptions = {}): Promise<Channel> {
    brokerId(id);
    const late = `timeout waiting for an answer to the dial of broker id ${id}`;
    return limited(this.#limits(wait, late), async (signal) => {
      const channel = await this.#session.openChannel({ signal });
      channel.write(idBytes(id));
      const ack = await readId(channel, signal);
      if (ack !== id) {
        channel.destroy();
        throw new BrokerError("ERR_BROKER_BAD_ACK", `bad ack: ${ack} (expected ${id})`);
      }
      publishBroker({ action: "dial", id });
      return channel;
    });
  }

  #limits(wait: WaitOptions, late: string): Limits {
    return {
      ...wait,
      what: "the brokered connection",
      defaultTimeout: this.#timeout,
      late: () => new BrokerError("ERR_BROKER_TIMEOUT", late),
    };
  }
}
