import { type AnySchema, emptyStruct, type Input } from "../gob/index.js";
import { PendingCall } from "./pending-call.js";

/** Calls that a client makes of its own accord, and nobody sees. They are meant to fail: with an answer that tells something. */
export class OwnCalls {
  readonly #submit: (call: PendingCall) => void;
  #count = 0;

  constructor(submit: (call: PendingCall) => void) {
    this.#submit = submit;
  }

  /** How many are under way. */
  get count(): number {
    return this.#count;
  }

  call<A extends AnySchema>(
    serviceMethod: string,
    argSchema: A,
    arg: Input<A>,
    failed: (error: unknown) => void,
  ): void {
    this.#count++;
    const done = (): void => void this.#count--;
    const refused = (error: unknown): void => {
      this.#count--;
      failed(error);
    };
    this.#submit(
      new PendingCall(serviceMethod, argSchema, arg, emptyStruct, undefined, undefined, done, refused),
    );
  }
}
