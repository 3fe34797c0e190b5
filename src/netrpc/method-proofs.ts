import { complex128 } from "../gob/index.js";
import { RemoteError } from "./errors.js";
import { isMissing } from "./messages.js";
import type { OwnCalls } from "./own-calls.js";
import type { PendingCall } from "./pending-call.js";

/**
 * Go's server discards the argument of a method that it does not have, and gob cannot discard a nil interface: it waits
 * for the next message, and takes that for a part of the argument (decode.go: ignoreInterface). The call is never answered,
 * and the next one breaks the connection. So the first call of a method with a nil interface anywhere in its argument waits
 * for the answer to a call of the same method with this argument, which any peer can discard, and which no method takes
 * that may be given a nil interface: what is answered is Go's "can't find method", or that the types do not fit.
 */
const proofArg = complex128;

/** What is asked of the client. */
export interface MethodProofsHost {
  /** Whether it has ended. */
  isOver(): boolean;
  /** Sends a call: the peer has its method. */
  submit(call: PendingCall): void;
  /** The error of a call that the peer refuses with this text. */
  refusal(text: string, serviceMethod: string): Error;
}

/** The methods that the peer is known to have, and the calls that wait to know. */
export class MethodProofs {
  readonly #ownCalls: OwnCalls;
  readonly #host: MethodProofsHost;
  readonly #known = new Set<string>();
  readonly #waiting = new Map<string, Set<PendingCall>>();

  constructor(ownCalls: OwnCalls, host: MethodProofsHost) {
    this.#ownCalls = ownCalls;
    this.#host = host;
  }

  /** Whether a method is known to be there. */
  has(serviceMethod: string): boolean {
    return this.#known.has(serviceMethod);
  }

  /** How many calls wait. */
  get waiting(): number {
    let calls = 0;
    for (const { size } of this.#waiting.values()) calls += size;
    return calls;
  }

  /** Has a call wait until it is known whether the peer has its method: then it is sent, or fails. */
  hold(call: PendingCall): void {
    const { serviceMethod } = call;
    const others = this.#waiting.get(serviceMethod);
    if (others !== undefined) {
      others.add(call);
      return;
    }
    this.#waiting.set(serviceMethod, new Set([call]));
    this.#ownCalls.call(serviceMethod, proofArg, { re: 0, im: 0 }, (error) =>
      this.#settle(serviceMethod, error),
    );
  }

  /** Whether a call has waited, and does no more. */
  abandon(call: PendingCall): boolean {
    return this.#waiting.get(call.serviceMethod)?.delete(call) === true;
  }

  #settle(serviceMethod: string, error: unknown): void {
    const calls = this.#waiting.get(serviceMethod) ?? [];
    this.#waiting.delete(serviceMethod);
    if (this.#host.isOver()) {
      for (const call of calls) call.fail(error);
    } else if (error instanceof RemoteError && isMissing(error.message)) {
      for (const call of calls) call.fail(this.#host.refusal(error.message, serviceMethod));
    } else {
      this.#known.add(serviceMethod);
      for (const call of calls) this.#host.submit(call);
    }
  }
}
