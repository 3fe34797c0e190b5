/** A signal that fires after a time, or with another signal. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** Whether it was the time that fired it. */
  readonly isLate: boolean;
  /** To be called when the wait is over: takes back the timer and the listeners. */
  release(): void;
}

/** setTimeout fires at once above this; nobody notices that a wait never times out that may take 24 days. */
export const longestTimer = 2 ** 31 - 1;

/**
 * Limits a wait to `milliseconds` (no limit beyond what a timer can hold) and to other signals. Not AbortSignal.any over
 * AbortSignal.timeout: Node 20 forgets such a pair at the next garbage collection, and it never fires.
 */
export function deadline(milliseconds: number, ...signals: readonly AbortSignal[]): Deadline {
  const abort = new AbortController();
  let isLate = false;
  const timer =
    milliseconds > longestTimer
      ? undefined
      : setTimeout(() => {
          isLate = true;
          abort.abort(new Error(`not done within ${milliseconds} ms`));
        }, milliseconds);
  timer?.unref();
  const links = signals.map((signal) => {
    const onAbort = (): void => abort.abort(signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
    return () => signal.removeEventListener("abort", onAbort);
  });
  return {
    signal: abort.signal,
    get isLate() {
      return isLate;
    },
    release() {
      clearTimeout(timer);
      for (const unlink of links) unlink();
    },
  };
}
