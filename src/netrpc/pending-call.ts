import { AbortedError } from "../errors.js";
import type { AnySchema } from "../gob/index.js";
import { longestTimer } from "../options.js";
import { CallTimeoutError } from "./errors.js";
import { shareSignal } from "./share-signal.js";

export interface CallOptions {
  /** Abandons the call: it rejects with AbortedError, the connection lives, a late answer is discarded. */
  signal?: AbortSignal | undefined;
  /** Milliseconds to wait for the answer; default: no limit, as Go's Call. */
  timeout?: number | undefined;
  /** A value that the reply is decoded into, as Go decodes into the caller's reply: absent fields keep theirs. */
  into?: unknown;
}

/** A call that was made and is not answered. */
export interface PendingCall {
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
  if (signal?.aborted) {
    call.reject(new AbortedError(call.serviceMethod, signal.reason));
    return false;
  }
  const { resolve, reject } = call;
  const giveUp = (error: Error): void => {
    release();
    abandon();
    reject(error);
  };
  const onAbort = (): void => giveUp(new AbortedError(call.serviceMethod, signal!.reason));
  const timer =
    timeout === undefined || timeout > longestTimer
      ? undefined
      : setTimeout(() => giveUp(new CallTimeoutError(call.serviceMethod, timeout)), timeout);
  shareSignal(signal);
  signal?.addEventListener("abort", onAbort, { once: true });
  const release = (): void => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  };
  call.resolve = (reply) => {
    release();
    resolve(reply);
  };
  call.reject = (error) => {
    release();
    reject(error);
  };
  return true;
}
