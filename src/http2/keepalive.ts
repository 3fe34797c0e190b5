import { startTimer } from "../wait.js";
import type { KeepaliveTimes } from "./session-options.js";

export interface KeepaliveEvents {
  /** Nothing has come for a while: the peer is to be asked for a sign of life. */
  ask(): void;
  /** It has not given one. @param milliseconds how long nothing has come, at least */
  silent(milliseconds: number): void;
}

/** Finds out that a peer has gone without a word. */
export class Keepalive {
  readonly #times: KeepaliveTimes;
  readonly #events: KeepaliveEvents;
  #heard = false;
  #stop: () => void = () => {};

  constructor(times: KeepaliveTimes, events: KeepaliveEvents) {
    this.#times = times;
    this.#events = events;
    this.#watch();
  }

  /** Something has come from the peer. */
  heard(): void {
    this.#heard = true;
  }

  stop(): void {
    this.#stop();
  }

  #watch(): void {
    this.#heard = false;
    this.#arm(this.#times.time, () => {
      if (this.#heard) this.#watch();
      else this.#ask();
    });
  }

  #ask(): void {
    const { time, timeout } = this.#times;
    this.#events.ask();
    this.#arm(timeout, () => {
      if (this.#heard) this.#watch();
      else this.#events.silent(time + timeout);
    });
  }

  #arm(milliseconds: number, then: () => void): void {
    this.#stop = startTimer(milliseconds, then, false);
  }
}
