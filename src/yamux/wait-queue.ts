import { AbortedError } from "../errors.js";

interface Waiter<T> {
  resolve(value: T): void;
  reject(error: Error): void;
}

/** Callers that wait their turn for something, first come first served; each may give up through its signal. */
export class WaitQueue<T> {
  readonly #waiters = new Set<Waiter<T>>();

  get size(): number {
    return this.#waiters.size;
  }

  /** @throws AbortedError when `signal` fires first; `what` names the wait in its message */
  wait(what: string, signal: AbortSignal | undefined): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (signal === undefined) {
        this.#waiters.add({ resolve, reject });
        return;
      }
      if (signal.aborted) {
        reject(new AbortedError(what, signal.reason));
        return;
      }
      const onAbort = (): void => {
        this.#waiters.delete(waiter);
        reject(new AbortedError(what, signal.reason));
      };
      const waiter: Waiter<T> = {
        resolve(value) {
          signal.removeEventListener("abort", onAbort);
          resolve(value);
        },
        reject(error) {
          signal.removeEventListener("abort", onAbort);
          reject(error);
        },
      };
      signal.addEventListener("abort", onAbort, { once: true });
      this.#waiters.add(waiter);
    });
  }

  /** Hands the value to the one who waits longest; false when nobody waits. */
  offer(value: T): boolean {
    for (const waiter of this.#waiters) {
      this.#waiters.delete(waiter);
      waiter.resolve(value);
      return true;
    }
    return false;
  }

  /** Ends all waits with an error. */
  fail(error: Error): void {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const waiter of waiters) waiter.reject(error);
  }
}
