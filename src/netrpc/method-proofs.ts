import { complex128 } from "../gob/index.js";
import type { PendingCall } from "./pending-call.js";

/**
 * Go's server discards the argument of a method that it does not have, and gob cannot discard a nil interface: it waits
 * for the next message, and takes that for a part of the argument (decode.go: ignoreInterface). The call is never answered,
 * and the next one breaks the connection. So the first call of a method with a nil interface anywhere in its argument waits
 * for the answer to a call of the same method with this argument, which any peer can discard, and which no method takes
 * that may be given a nil interface: what is answered is Go's "can't find method", or that the types do not fit.
 */
export const proofArg = complex128;

/** Whether an answer says that there is no such method (server.go: readRequestHeader). */
export function isMissing(text: string): boolean {
  return /^rpc: (can't find (service|method)|service\/method request ill-formed)/.test(text);
}

/** The methods that the peer is known to have, and the calls that wait to know. */
export class MethodProofs {
  readonly #known = new Set<string>();
  readonly #waiting = new Map<string, Set<PendingCall>>();

  /** Whether a method is known to be there. */
  has(serviceMethod: string): boolean {
    return this.#known.has(serviceMethod);
  }

  add(serviceMethod: string): void {
    this.#known.add(serviceMethod);
  }

  /** How many calls wait. */
  get waiting(): number {
    let calls = 0;
    for (const { size } of this.#waiting.values()) calls += size;
    return calls;
  }

  /** Has a call wait; true if it is the one that has to ask. */
  isFirst(call: PendingCall): boolean {
    const others = this.#waiting.get(call.serviceMethod);
    if (others === undefined) this.#waiting.set(call.serviceMethod, new Set([call]));
    else others.add(call);
    return others === undefined;
  }

  /** The calls of a method that have waited. */
  take(serviceMethod: string): Iterable<PendingCall> {
    const calls = this.#waiting.get(serviceMethod) ?? [];
    this.#waiting.delete(serviceMethod);
    return calls;
  }

  /** Whether a call has waited, and does no more. */
  abandon(call: PendingCall): boolean {
    return this.#waiting.get(call.serviceMethod)?.delete(call) === true;
  }
}
