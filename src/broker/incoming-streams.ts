import type { Logger } from "../hclog/logger.js";
import { type Limits, startTimer, waitFor } from "../wait.js";
import { INITIAL_WINDOW } from "../yamux/config.js";
import { Deadlines } from "../yamux/deadlines.js";
import type { Channel, Session } from "../yamux/index.js";
import { BrokerError } from "./errors.js";
import { readId } from "./read-id.js";
import { SparingLog } from "./sparing-log.js";

/** Streams whose id is being waited for at a time; the others wait in the session's backlog, or are refused by it. */
const MAX_WITHOUT_ID = 256;
/** Streams that may wait for their accepter; further ones are reset. */
const MAX_UNACCEPTED = 1024;
/** Bytes that these may hold in all: a peer may send 256 KiB on each. The last ones are reset. */
const MAX_UNACCEPTED_BYTES = 2 ** 25;
/** While that many streams wait, their bytes are counted so often. Fewer cannot hold that much. */
const COUNT_FROM = MAX_UNACCEPTED_BYTES / INITIAL_WINDOW;
const COUNT_EVERY = 20;

/** One id on its way: a stream that waits for its accepter, or an accepter that waits for its stream. */
type Pending = { stream: Channel } | { take(stream: Channel): void; fail(error: Error): void };

/** The streams that the other side has dialled: each says its id, and waits for the one who accepts it. */
export class IncomingStreams {
  readonly #session: Session;
  /** For what a peer can bring about any number of times. */
  readonly #log: SparingLog;
  readonly #pending = new Map<number, Pending>();
  /** Streams that have not said their id. */
  readonly #withoutId: Deadlines<Channel>;
  /** The ids of streams that nobody has accepted. */
  readonly #unaccepted: Deadlines<number>;
  #stopCounting: (() => void) | undefined;
  /** Continues the taking of streams once fewer are without an id. */
  #roomForOne: (() => void) | undefined;
  /** Set once the session has ended: nobody can dial any more. */
  #ended: BrokerError | undefined;

  /** @param timeout milliseconds for an id, and for somebody to accept it */
  constructor(session: Session, logger: Logger, timeout: number) {
    this.#session = session;
    this.#log = new SparingLog(logger);
    this.#withoutId = new Deadlines(timeout, (channel) =>
      channel.destroy(new BrokerError("ERR_BROKER_TIMEOUT", "timeout waiting for a broker id")),
    );
    this.#unaccepted = new Deadlines(timeout, (id) => this.#giveUp(id));
    void this.#run();
  }

  /** Waits for the stream with this id. */
  take(id: number, limits: Limits): Promise<Channel> {
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
    return waitFor<Channel>(limits, (resolve, reject) => {
      const accepter: Pending = { take: resolve, fail: reject };
      this.#pending.set(id, accepter);
      // At once, not in a later microtask: the next stream with this id is not for this accepter.
      return () => {
        if (this.#pending.get(id) === accepter) this.#pending.delete(id);
      };
    });
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
