import type { CallCounters } from "../diagnostics.js";
import type { CallTrace } from "../diagnostics-contexts.js";
import type { AnySchema } from "../gob/index.js";
import { onceCut, type WaitOptions } from "../wait.js";
import { CallTimeoutError } from "./errors.js";

/**
 * What a call may be given. Its `signal` and `timeout` (default: no limit, as Go's Call) abandon that call alone: it
 * rejects with AbortedError or CallTimeoutError, the connection lives, and a late answer is discarded.
 */
export interface CallOptions extends WaitOptions {
  /** A value that the reply is decoded into, as Go decodes into the caller's reply: absent fields keep theirs. */
  into?: unknown;
}

/** A call that was made and is not answered. */
export class PendingCall {
  readonly serviceMethod: string;
  readonly argSchema: AnySchema;
  arg: unknown;
  readonly replySchema: AnySchema;
  readonly into: unknown;
  /** -1 until it is sent. */
  seq = -1;
  requestBytes = 0;
  replyBytes = 0;
  /** What its observers see, if there are any. */
  trace: CallTrace | undefined = undefined;
  readonly #counters: CallCounters | undefined;
  readonly #resolve: (reply: unknown) => void;
  readonly #reject: (error: unknown) => void;
  #releaseLimits: (() => void) | undefined;

  /** @param counters where it is counted; from here on it is under way */
  constructor(
    serviceMethod: string,
    argSchema: AnySchema,
    arg: unknown,
    replySchema: AnySchema,
    into: unknown,
    counters: CallCounters | undefined,
    resolve: (reply: unknown) => void,
    reject: (error: unknown) => void,
  ) {
    this.serviceMethod = serviceMethod;
    this.argSchema = argSchema;
    this.arg = arg;
    this.replySchema = replySchema;
    this.into = into;
    this.#counters = counters;
    this.#resolve = resolve;
    this.#reject = reject;
    if (counters === undefined) return;
    counters.calls++;
    counters.inFlight++;
  }

  /**
   * Arms the caller's signal and timeout: when one fires, the call fails and `abandon` is called. Returns false when the
   * call is over with that: the signal had fired before, or an option cannot be used.
   */
  limit({ signal, timeout }: CallOptions, abandon: () => void): boolean {
    const what = this.serviceMethod;
    let cut = false;
    const late = (milliseconds: number): Error => new CallTimeoutError(what, milliseconds);
    const over = (error: unknown): void => {
      cut = true;
      abandon();
      this.fail(error);
    };
    try {
      this.#releaseLimits = onceCut({ what, signal, timeout, late }, over);
    } catch (error) {
      over(error);
    }
    return !cut;
  }

  succeed(reply: unknown): void {
    this.#end();
    this.#resolve(reply);
  }

  fail(error: unknown): void {
    if (this.#counters !== undefined) this.#counters.errors++;
    this.#end();
    this.#reject(error);
  }

  /** A call ends once: whoever ends it has taken it out of the client's tables. */
  #end(): void {
    this.#releaseLimits?.();
    const counters = this.#counters;
    if (counters !== undefined) {
      counters.inFlight--;
      counters.sentBytes += this.requestBytes;
      counters.receivedBytes += this.replyBytes;
    }
    const { trace } = this;
    if (trace === undefined) return;
    trace.requestBytes = this.requestBytes;
    trace.replyBytes = this.replyBytes;
  }
}
