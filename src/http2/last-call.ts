import type { Pings } from "./pings.js";
import type { Timers } from "./timers.js";

/** Milliseconds in which new streams are still taken, if the client does not answer. */
const LAST_CALL = 1000;

/**
 * The time between the two GOAWAYs with which a server drains (RFC 9113, section 6.8): the first takes all streams yet, and
 * once the client has heard it, or had the time to, the second names the last one.
 */
export class LastCall {
  readonly #pings: Pick<Pings, "ping">;
  readonly #timers: Pick<Timers, "start">;
  readonly #onOver: () => void;
  #state: "before" | "running" | "over" = "before";

  /** @param onOver told once: what has not come by now comes too late */
  constructor(pings: Pick<Pings, "ping">, timers: Pick<Timers, "start">, onOver: () => void) {
    this.#pings = pings;
    this.#timers = timers;
    this.#onOver = onOver;
  }

  get isRunning(): boolean {
    return this.#state === "running";
  }

  /** Begins, behind the first GOAWAY. */
  begin(): void {
    this.#state = "running";
    // Its answer comes behind all that the client sent before it heard.
    this.#pings.ping(this.#end);
    this.#timers.start(LAST_CALL, this.#end);
  }

  readonly #end = (): void => {
    if (this.#state !== "running") return;
    this.#state = "over";
    this.#onOver();
  };
}
