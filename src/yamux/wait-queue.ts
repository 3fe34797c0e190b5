import { type WaitOptions, waitFor } from "../wait.js";

interface Waiter<T> {
  resolve(value: T): void;
  reject(error: Error): void;
}

/** Callers that wait their turn for something, first come first served; each may give up. */
export class WaitQueue<T> {
  readonly #waiters = new Set<Waiter<T>>();

  get size(): number {
    return this.#waiters.size;
  }

  /** @param what names the wait in errors. @throws AbortedError, TimeoutError */
  wait(what: string, { signal, timeout }: WaitOptions): Promise<T> {
    return waitFor<T>({ what, signal, timeout }, (resolve, reject) => {
      const waiter: Waiter<T> = { resolve, reject };
      this.#waiters.add(waiter);
      return () => this.#waiters.delete(waiter);
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
