/** How often something may happen: a stock at the start, refilled with time. */
export class Budget {
  readonly #most: number;
  readonly #perSecond: number;
  #left: number;
  #since: number | undefined;

  constructor(most: number, perSecond: number) {
    this.#most = most;
    this.#perSecond = perSecond;
    this.#left = most;
  }

  /** False when it is used up. */
  take(): boolean {
    if (--this.#left >= 0) {
      this.#since ??= performance.now();
      return true;
    }
    const now = performance.now();
    const refill = Math.floor(((now - (this.#since ?? now)) / 1000) * this.#perSecond);
    this.#since = now;
    this.#left = Math.min(this.#most, refill) - 1;
    return this.#left >= 0;
  }

  /** Fills the stock up. */
  restore(): void {
    this.#left = this.#most;
    this.#since = undefined;
  }
}
