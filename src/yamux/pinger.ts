import { startTimer, type WaitOptions, waitFor } from "../wait.js";
import { YamuxError } from "./errors.js";
import { startPatientTimer } from "./patient-timer.js";

interface Pending {
  readonly sent: number;
  resolve(milliseconds: number): void;
  reject(error: Error): void;
}

/** Pings under way, by their id. */
export class Pinger {
  readonly #send: (id: number) => void;
  readonly #timeout: number;
  readonly #pending = new Map<number, Pending>();
  #nextId = 0;
  #isStopped = false;
  #stopKeepAlive: (() => void) | undefined;

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
   * @throws YamuxError ERR_YAMUX_TIMEOUT, AbortedError, TimeoutError
   */
  ping(wait: WaitOptions): Promise<number> {
    return waitFor<number>({ ...wait, what: "the ping", keepAlive: false }, (resolve, reject) => {
      const id = this.#nextId;
      this.#nextId = (id + 1) >>> 0;
      const timeout = this.#timeout;
      const late = (): void => reject(new YamuxError("ERR_YAMUX_TIMEOUT"));
      const stopTimer = startPatientTimer(timeout, timeout, late);
      this.#pending.set(id, { sent: performance.now(), resolve, reject });
      this.#send(id);
      return () => {
        stopTimer();
        this.#pending.delete(id);
      };
    });
  }

  /** The peer answered; answers to nothing are ignored. */
  pong(id: number): void {
    const pending = this.#pending.get(id);
    pending?.resolve(performance.now() - pending.sent);
  }

  /** Pings from now on, each so many milliseconds after the answer to the last. @param failed told why one was not answered */
  keepAlive(interval: number, failed: (cause: unknown) => void): void {
    const answered = (): void => {
      if (!this.#isStopped) this.keepAlive(interval, failed);
    };
    this.#stopKeepAlive = startTimer(interval, () => void this.ping({}).then(answered, failed), false);
  }

  /** The session is over: pings under way fail, and no more are sent. */
  stop(error: Error): void {
    this.#isStopped = true;
    this.#stopKeepAlive?.();
    for (const pending of [...this.#pending.values()]) pending.reject(error);
  }
}
