import { BrokerError } from "../broker/errors.js";
import type { Logger } from "../hclog/logger.js";
import { startTimer, type WaitOptions, waitFor } from "../wait.js";
import type { ConnInfo } from "./gen/plugin/grpc_broker.js";

/** An announcement that nobody has asked for yet, or who asks for one that has not come. */
type Pending =
  | { readonly message: ConnInfo; readonly forget: () => void }
  | { readonly take: (message: ConnInfo) => void };

/** Ids whose announcements nobody has asked for; more are dropped, so that a peer cannot fill the memory. */
const MAX_PENDING = 10_000;

/**
 * How much longer than a dial waits an announcement is kept. go-plugin forgets it as soon; but where many connections
 * are made at once, who was told the id by a call may ask for it late.
 */
const KEPT = 12;

/** Where the other side listens, by id: it says so once, before or after this side asks. */
export class Announcements {
  readonly #logger: Logger;
  readonly #timeout: number;
  readonly #pending = new Map<number, Pending>();
  readonly #ended = new AbortController();
  /** Announcements are dropped, and it has been said. */
  #isFull = false;

  /** @param timeout milliseconds that an announcement is waited for by default; it is kept 12 times as long */
  constructor(logger: Logger, timeout: number) {
    this.#logger = logger;
    this.#timeout = timeout;
  }

  receive(message: ConnInfo): void {
    const { serviceId: id } = message;
    const pending = this.#pending.get(id);
    if (pending !== undefined && "take" in pending) {
      pending.take(message);
      return;
    }
    // As in go-plugin, the first announcement that nobody has taken stays.
    if (pending !== undefined) return;
    if (this.#pending.size >= MAX_PENDING) {
      if (!this.#isFull)
        this.#logger.warn("dropping a broker's announcements: too many wait already", { id });
      this.#isFull = true;
      return;
    }
    this.#isFull = false;
    const forget = (): void => {
      stop();
      this.#pending.delete(id);
    };
    const stop = startTimer(KEPT * this.#timeout, forget, false);
    this.#pending.set(id, { message, forget });
  }

  /** @throws BrokerError ERR_BROKER_TIMEOUT, ERR_BROKER_ID_IN_USE, ERR_BROKER_CLOSED; AbortedError */
  async take(id: number, { signal, timeout }: WaitOptions): Promise<ConnInfo> {
    const pending = this.#pending.get(id);
    if (pending !== undefined && "message" in pending) {
      pending.forget();
      return pending.message;
    }
    if (pending !== undefined) {
      throw new BrokerError("ERR_BROKER_ID_IN_USE", `broker id ${id} is being dialled already`);
    }
    const limits = {
      what: "the brokered connection",
      signal,
      timeout,
      defaultTimeout: this.#timeout,
      late: () => new BrokerError("ERR_BROKER_TIMEOUT", "timeout waiting for connection info"),
      ended: this.#ended.signal,
    };
    return waitFor<ConnInfo>(limits, (resolve) => {
      this.#pending.set(id, { take: resolve });
      return () => this.#pending.delete(id);
    });
  }

  close(error: Error): void {
    this.#ended.abort(error);
    for (const pending of this.#pending.values()) if ("forget" in pending) pending.forget();
  }
}
