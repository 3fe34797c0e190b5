import { startTimer } from "../wait.js";

/** Timers that end with what they belong to; none of them keeps the process alive. */
export class Timers {
  readonly #running = new Set<() => void>();

  start(milliseconds: number, then: () => void): void {
    const expire = (): void => {
      this.#running.delete(stop);
      then();
    };
    const stop = startTimer(milliseconds, expire, false);
    this.#running.add(stop);
  }

  stop(): void {
    for (const stop of this.#running) stop();
    this.#running.clear();
  }
}
