import type { Http2Error } from "./errors.js";
import { closed, noFurtherStreams } from "./session-errors.js";

/**
 * `opening` until the peer's SETTINGS are there; `draining` once either side has said that it takes no further streams;
 * `closed` when all streams are over and nothing is sent any more.
 */
export type SessionState = "opening" | "open" | "draining" | "closed";

/** Where a session is on its way, which only goes forward, and who is told of it. */
export class Lifecycle {
  /** Resolves when the session is open. Rejects with the reason when it is closed before. */
  readonly ready: Promise<void>;
  /** Resolves when the connection is gone, too. */
  readonly gone: Promise<void>;
  /** Why the session is closed, or will be; undefined where nobody is to blame. */
  error: Http2Error | undefined;
  #state: SessionState = "opening";
  #onEnding: (() => void) | undefined;
  #markReady!: () => void;
  #markFailed!: (error: Http2Error) => void;
  #markGone!: () => void;

  constructor() {
    this.ready = new Promise((resolve, reject) => {
      this.#markReady = resolve;
      this.#markFailed = reject;
    });
    this.ready.catch(() => {});
    this.gone = new Promise((resolve) => {
      this.#markGone = resolve;
    });
  }

  get state(): SessionState {
    return this.#state;
  }

  get isDraining(): boolean {
    return this.#state === "draining";
  }

  get isClosed(): boolean {
    return this.#state === "closed";
  }

  /** What those get that the session's end cuts short. */
  get reason(): Http2Error {
    return this.error ?? closed();
  }

  /** @throws Http2Error when no further stream can be opened */
  checkOpen(): void {
    if (this.#state === "closed") throw this.reason;
    if (this.#state === "draining") throw noFurtherStreams();
  }

  /** Calls back once, as soon as no further stream can be opened. */
  onEnding(listener: () => void): void {
    this.#onEnding = listener;
    if (this.#state === "draining" || this.#state === "closed") this.#tellEnding();
  }

  /** The peer's SETTINGS are there. */
  open(): void {
    if (this.#state === "opening") this.#state = "open";
    this.#markReady();
  }

  /** No further streams. Not after `close`. */
  drain(): void {
    this.#state = "draining";
    this.#tellEnding();
  }

  close(error: Http2Error | undefined): void {
    this.#state = "closed";
    this.error = error;
    this.#tellEnding();
    this.#markFailed(this.reason);
  }

  /** The connection is over. */
  end(): void {
    this.#markGone();
  }

  #tellEnding(): void {
    const listener = this.#onEnding;
    this.#onEnding = undefined;
    listener?.();
  }
}
