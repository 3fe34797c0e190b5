import type { Duplex } from "node:stream";
import { publishBroker } from "../diagnostics.js";
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
import { timeLimit } from "../options.js";
import { type Limits, limited, startTimer, type WaitOptions, waitFor } from "../wait.js";
import { INITIAL_WINDOW } from "../yamux/config.js";
import { Deadlines } from "../yamux/deadlines.js";
import type { Channel, Session } from "../yamux/index.js";
import { BrokerError } from "./errors.js";
import { idBytes, readId } from "./read-id.js";
import { SparingLog } from "./sparing-log.js";

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

/** One id on its way: a stream that waits for its accepter, or an accepter that waits for its stream. */
type Pending = { stream: Channel } | { take(stream: Channel): void; fail(error: Error): void };

const pluginName = "Plugin";

/** Milliseconds; go-plugin's own. */
const defaultTimeout = 5000;

/** Streams whose id is being waited for at a time; the others wait in the session's backlog, or are refused by it. */
const MAX_WITHOUT_ID = 256;
/** Streams that may wait for their accepter; further ones are reset. */
const MAX_UNACCEPTED = 1024;
/** Bytes that these may hold in all: a peer may send 256 KiB on each. The last ones are reset. */
const MAX_UNACCEPTED_BYTES = 2 ** 25;
/** While that many streams wait, their bytes are counted so often. Fewer cannot hold that much. */
const COUNT_FROM = MAX_UNACCEPTED_BYTES / INITIAL_WINDOW;
const COUNT_EVERY = 20;

/**
 * Brokers streams of one session by number, so that either side can offer the other further connections, for
 * callbacks or raw data (go-plugin: MuxBroker). The ids of the two sides are counted apart: the same number may be
 * in use in both directions.
 */
export class MuxBroker {
  readonly #session: Session;
  readonly #logger: Logger;
  /** For what a peer can bring about any number of times. */
  readonly #log: SparingLog;
  readonly #onLost: RpcClientOptions["onLost"];
  readonly #observer: RpcClientOptions["observer"];
  readonly #timeout: number;
  readonly #maxUnansweredBytes: number | undefined;
  readonly #pending = new Map<number, Pending>();
  /** Streams that have not said their id. */
  readonly #withoutId: Deadlines<Channel>;
  /** The ids of streams that nobody has accepted. */
  readonly #unaccepted: Deadlines<number>;
  #stopCounting: (() => void) | undefined;
  /** Continues the taking of streams once fewer are without an id. */
  #roomForOne: (() => void) | undefined;
  /** A service that ends because this side has closed the session is no news. */
  readonly #serverLogger: ServerLogger = {
    warn: (message, fields) => {
      const ended = this.#session.state === "closing" || this.#session.state === "closed";
      if (!ended || this.#session.error !== undefined) this.#logger.warn(message, fields);
    },
  };
  #lastId = 0;
  /** Set once the session has ended: nobody can dial any more. */
  #ended: BrokerError | undefined;

  /** Takes over the session's incoming streams. The first three, go-plugin's own, must have been accepted before. */
  constructor(session: Session, options: MuxBrokerOptions = {}) {
    this.#session = session;
    this.#logger = guardedLogger(options.logger ?? nullLogger);
    this.#onLost = options.onLost;
    this.#observer = options.observer;
    this.#maxUnansweredBytes = options.maxUnansweredBytes;
    this.#timeout = timeLimit("timeout", options.timeout, defaultTimeout);
    this.#log = new SparingLog(this.#logger);
    this.#withoutId = new Deadlines(this.#timeout, (channel) =>
      channel.destroy(new BrokerError("ERR_BROKER_TIMEOUT", "timeout waiting for a broker id")),
    );
    this.#unaccepted = new Deadlines(this.#timeout, (id) => this.#giveUp(id));
    void this.#run();
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
    const { names = [pluginName], optional, signal, timeout } = options;
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
    { names = [pluginName], ...options }: BrokerService & WaitOptions = {},
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
    const channel = await this.#take(id, wait);
    channel.write(idBytes(id));
    publishBroker({ action: "accept", id });
    return channel;
  }

  /** {@link dial} without the cost of a Duplex. */
  dialChannel(id: number, wait: WaitOptions = {}): Promise<Channel> {
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

  #take(id: number, wait: WaitOptions): Promise<Channel> {
    const pending = this.#pending.get(id);
    if (pending !== undefined && "stream" in pending) {
      this.#unaccepted.delete(id);
      this.#pending.delete(id);
      return Promise.resolve(pending.stream);
    }
    if (pending !== undefined) {
      return Promise.reject(
        new BrokerError("ERR_BROKER_ID_IN_USE", `broker id ${id} is being accepted already`),
      );
    }
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    return waitFor<Channel>(this.#limits(wait, "timeout waiting for accept"), (resolve, reject) => {
      const accepter: Pending = { take: resolve, fail: reject };
      this.#pending.set(id, accepter);
      // At once, not in a later microtask: the next stream with this id is not for this accepter.
      return () => {
        if (this.#pending.get(id) === accepter) this.#pending.delete(id);
      };
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

  async #run(): Promise<void> {
    try {
      for (;;) {
        const channel = await this.#session.acceptChannel();
        this.#receive(channel);
        if (this.#withoutId.size >= MAX_WITHOUT_ID) {
          await new Promise<void>((resolve) => {
            this.#roomForOne = resolve;
          });
        }
      }
    } catch (cause) {
      this.#ended = new BrokerError("ERR_BROKER_CLOSED", "the broker's session has ended", { cause });
      this.#withoutId.clear();
      this.#unaccepted.clear();
      this.#stopCounting?.();
      for (const pending of this.#pending.values()) if ("fail" in pending) pending.fail(this.#ended);
      this.#pending.clear();
    }
  }

  /** Go reads the ids of one stream after another, so that one silent dialler blocks all; here they do not wait. */
  #receive(channel: Channel): void {
    this.#withoutId.add(channel);
    const settle = (): void => {
      this.#withoutId.delete(channel);
      this.#roomForOne?.();
      this.#roomForOne = undefined;
    };
    readId(channel).then(
      (id) => {
        settle();
        this.#place(id, channel);
      },
      (error: unknown) => {
        settle();
        if (this.#ended === undefined) this.#log.warn("brokered stream without an id", { error });
      },
    );
  }

  /** Gives a stream to its accepter, or keeps it until one comes. */
  #place(id: number, channel: Channel): void {
    const pending = this.#pending.get(id);
    if (pending !== undefined && "take" in pending) {
      pending.take(channel);
      return;
    }
    if (this.#ended === undefined && pending === undefined && this.#unaccepted.size < MAX_UNACCEPTED) {
      this.#pending.set(id, { stream: channel });
      this.#unaccepted.add(id);
      if (this.#unaccepted.size > COUNT_FROM) this.#countLater();
      return;
    }
    channel.destroy();
    if (this.#ended !== undefined) return;
    if (pending === undefined)
      this.#log.warn("closing a brokered stream: too many wait to be accepted", { id });
    else this.#log.warn("closing a brokered stream whose id is waiting already", { id });
  }

  #countLater(): void {
    this.#stopCounting ??= startTimer(COUNT_EVERY, this.#count, false);
  }

  readonly #count = (): void => {
    this.#stopCounting = undefined;
    let bytes = 0;
    for (const [id, pending] of this.#pending) {
      if (!("stream" in pending)) continue;
      bytes += pending.stream.unread;
      if (bytes <= MAX_UNACCEPTED_BYTES) continue;
      this.#unaccepted.delete(id);
      this.#pending.delete(id);
      this.#log.warn("closing a brokered stream: those that wait to be accepted hold too many bytes", { id });
      pending.stream.destroy();
    }
    if (this.#unaccepted.size > COUNT_FROM) this.#countLater();
  };

  #giveUp(id: number): void {
    const pending = this.#pending.get(id);
    if (pending === undefined || !("stream" in pending)) return;
    this.#pending.delete(id);
    this.#log.warn("closing a brokered stream that nobody accepted", { id });
    pending.stream.destroy();
  }
}
