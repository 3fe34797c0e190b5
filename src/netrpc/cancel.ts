import { uint } from "../gob/index.js";
import type { OwnCalls } from "./own-calls.js";

/**
 * How one goplug peer tells another that nobody waits for a call any more: net/rpc has nothing for that. It is a call like any
 * other, of a name that nobody else serves, with the `Seq` of the call that was abandoned. Go's server answers that
 * there is no such service, and goes on.
 */
export const CANCEL_METHOD = "Goplug.Cancel";
export const cancelArg = uint;

/** Tells the peer of abandoned calls, until it says that it knows nothing of that. */
export class CancelNotices {
  readonly #ownCalls: OwnCalls;
  #isUnderstood = true;

  constructor(ownCalls: OwnCalls) {
    this.#ownCalls = ownCalls;
  }

  send(seq: number): void {
    if (!this.#isUnderstood) return;
    this.#ownCalls.call(CANCEL_METHOD, cancelArg, seq, () => {
      // A peer that knows nothing of it, such as Go's: once is enough.
      this.#isUnderstood = false;
    });
  }
}
