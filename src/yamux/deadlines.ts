import { startPatientTimer } from "./patient-timer.js";

/**
 * Expires items that stay longer than one fixed time. Since all have the same time to live, they expire in the order
 * they came in, and one timer serves them all: adding and removing an item costs no timer.
 */
export class Deadlines<T> {
  readonly #lifetime: number;
  readonly #expire: (item: T) => void;
  readonly #due = new Map<T, number>();
  #stopTimer: (() => void) | undefined;

  /** @param lifetime milliseconds; 0 = items never expire */
  constructor(lifetime: number, expire: (item: T) => void) {
    this.#lifetime = lifetime;
    this.#expire = expire;
  }

  get size(): number {
    return this.#due.size;
  }

  add(item: T): void {
    if (this.#lifetime === 0) return;
    this.#due.set(item, performance.now() + this.#lifetime);
    if (this.#stopTimer === undefined) this.#arm(this.#lifetime);
  }

  delete(item: T): void {
    // The timer is left to find out by itself: streams come and go far more often than it fires.
    this.#due.delete(item);
  }

  /** Stops the timer and forgets all items. */
  clear(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    this.#due.clear();
  }

  #arm(delay: number): void {
    this.#stopTimer = startPatientTimer(delay, this.#lifetime, this.#check);
  }

  readonly #check = (): void => {
    this.#stopTimer = undefined;
    for (const [item, due] of this.#due) {
      const left = due - performance.now();
      if (left > 0) {
        this.#arm(left);
        return;
      }
      this.#due.delete(item);
      this.#expire(item);
    }
  };
}
