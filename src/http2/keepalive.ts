import { startTimer } from "../wait.js";
import type { KeepaliveTimes } from "./session-options.js";

export interface KeepaliveEvents {
  /** Nothing has come for a while: the peer is to be asked for a sign of life. */
  ask(): void;
  /** It has not given one. @param milliseconds since something came */
  silent(milliseconds: number): void;
}

/** In milliseconds. */
export interface Clock {
  now(): number;
  /** Returns what stops the timer. */
  start(milliseconds: number, then: () => void): () => void;
}

const systemClock: Clock = {
  now: () => performance.now(),
  start: (milliseconds, then) => startTimer(milliseconds, then, false),
};

/** Finds out that a peer has gone without a word. Times count from what has come last (grpc-go: http2_client.go, keepalive). */
export class Keepalive {
  readonly #times: KeepaliveTimes;
  readonly #events: KeepaliveEvents;
  readonly #clock: Clock;
  #lastHeard: number;
  #stop: () => void = () => {};

  constructor(times: KeepaliveTimes, events: KeepaliveEvents, clock = systemClock) {
    this.#times = times;
    this.#events = events;
    this.#clock = clock;
    this.#lastHeard = clock.now();
    this.#watch();
  }

  /** Something has come from the peer. */
  heard(): void {
    this.#lastHeard = this.#clock.now();
  }

  stop(): void {
    this.#stop();
  }

  #watch(): void {
    const left = this.#lastHeard + this.#times.time - this.#clock.now();
    if (left > 0) this.#stop = this.#clock.start(left, () => this.#watch());
    else this.#ask();
  }

  #ask(): void {
    const asked = this.#clock.now();
    this.#events.ask();
    this.#stop = this.#clock.start(this.#times.timeout, () => {
      if (this.#lastHeard > asked) this.#watch();
      else this.#events.silent(Math.round(this.#clock.now() - this.#lastHeard));
    });
  }
}
