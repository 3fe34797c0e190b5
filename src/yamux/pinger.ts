import { AbortedError } from "../errors.js";
import { YamuxError } from "./errors.js";

interface Pending {
  readonly sent: number;
  readonly timer: NodeJS.Timeout;
  resolve(milliseconds: number): void;
  reject(error: Error): void;
}

/** Pings under way, by their id. */
export class Pinger {
  readonly #send: (id: number) => void;
  readonly #timeout: number;
  readonly #pending = new Map<number, Pending>();
  #nextId = 0;

  /** @param timeout milliseconds until a ping counts as lost; Go takes ConnectionWriteTimeout */
  constructor(timeout: number, send: (id: number) => void) {
    this.#timeout = timeout;
    this.#send = send;
  }

  /** How many pings were sent; the id of the next. */
  get sent(): number {
    return this.#nextId;
  }

  /**
   * Resolves to the round-trip time in milliseconds.
   * @throws YamuxError ERR_YAMUX_TIMEOUT, AbortedError
   */
  ping(signal: AbortSignal | undefined): Promise<number> {
    if (signal?.aborted) return Promise.reject(new AbortedError("the ping", signal.reason));
    const id = this.#nextId;
    this.#nextId = (id + 1) >>> 0;
    return new Promise<number>((resolve, reject) => {
      const settle = (): void => {
        this.#pending.delete(id);
        clearTimeout(timer);
        signal?.removeEventListener("abort", onAbort);
      };
      const onAbort = (): void => {
        settle();
        reject(new AbortedError("the ping", signal?.reason));
      };
      const timer = setTimeout(() => {
        settle();
        reject(new YamuxError("ERR_YAMUX_TIMEOUT"));
      }, this.#timeout);
      timer.unref();
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#pending.set(id, {
        sent: performance.now(),
        timer,
        resolve(milliseconds) {
          settle();
          resolve(milliseconds);
        },
        reject(error) {
          settle();
          reject(error);
        },
      });
      this.#send(id);
    });
  }

  /** The peer answered; answers to nothing are ignored. */
  pong(id: number): void {
    const pending = this.#pending.get(id);
    pending?.resolve(performance.now() - pending.sent);
  }

  fail(error: Error): void {
    for (const pending of [...this.#pending.values()]) pending.reject(error);
  }
}
