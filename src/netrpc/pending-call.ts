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
export interface PendingCall {
  /** What its observers see, if there are any. */
  trace: CallTrace | undefined;
  serviceMethod: string;
  argSchema: AnySchema;
  arg: unknown;
  replySchema: AnySchema;
  into: unknown;
  /** -1 until it is sent. */
  seq: number;
  resolve(reply: unknown): void;
  reject(error: unknown): void;
}

/**
 * Arms a call's signal and timeout: when one fires, the call is abandoned and rejects. Returns false when the signal
 * had fired before.
 */
export function armLimits(call: PendingCall, { signal, timeout }: CallOptions, abandon: () => void): boolean {
  const { serviceMethod: what, resolve, reject } = call;
  let cut = false;
  const late = (milliseconds: number): Error => new CallTimeoutError(what, milliseconds);
  const release = onceCut({ what, signal, timeout, late }, (error) => {
    cut = true;
    abandon();
    reject(error);
  });
  call.resolve = (reply) => {
    release();
    resolve(reply);
  };
  call.reject = (error) => {
    release();
    reject(error);
  };
  return !cut;
}
