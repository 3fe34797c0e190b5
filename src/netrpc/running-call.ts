import type { CallContext } from "./methods.js";

/** A call that a handler works on, and what the handler is given of it. */
export class RunningCall implements CallContext {
  readonly serviceMethod: string;
  readonly connection: AbortSignal;
  // Made when it is asked for: most handlers do not.
  #abort: AbortController | undefined;
  #isAborted = false;
  #reason: unknown;

  constructor(serviceMethod: string, connection: AbortSignal) {
    this.serviceMethod = serviceMethod;
    this.connection = connection;
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#isAborted) this.#abort.abort(this.#reason);
    }
    return this.#abort.signal;
  }

  /** Nobody waits for the answer any more. */
  abort(reason: unknown): void {
    this.#isAborted = true;
    this.#reason = reason;
    this.#abort?.abort(reason);
  }
}
