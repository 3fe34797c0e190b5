import type { CallSite } from "./call-error.js";
import type { OngoingCall } from "./calls.js";
import { type ClientMethod, Invocation } from "./invocation.js";
import { GrpcStatus } from "./status.js";

/** A call that has one answer. */
export class OneAnswer<Q, A> extends Invocation<Q, A> {
  readonly #resolve: (answer: A) => void;
  readonly #reject: (error: Error) => void;
  #answer: { readonly value: A } | undefined;

  constructor(
    method: ClientMethod<Q, A>,
    site: CallSite,
    resolve: (answer: A) => void,
    reject: (error: Error) => void,
  ) {
    super(method, site);
    this.#resolve = resolve;
    this.#reject = reject;
  }

  protected begun(call: OngoingCall): void {
    call.read();
  }

  protected answered(value: A): void {
    if (this.#answer === undefined) this.#answer = { value };
    else this.refuse(GrpcStatus.UNIMPLEMENTED, "Too many responses received");
  }

  protected ended(error: Error | undefined): void {
    if (error !== undefined) this.#reject(error);
    else if (this.#answer === undefined)
      this.#reject(this.error(GrpcStatus.UNIMPLEMENTED, "No message received"));
    else this.#resolve(this.#answer.value);
  }
}
