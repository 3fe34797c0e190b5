import { defaultMaxListeners, getMaxListeners, setMaxListeners } from "node:events";
import timers from "node:timers";
import { AbortedError, TimeoutError } from "./errors.js";
import { checkSignal, LONGEST_TIMER, timeLimit } from "./options.js";

/** Who may call a wait off, and how long it may take. */
export interface WaitOptions {
  /** Ends the wait when it fires: the wait rejects with an AbortedError, whose cause is the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Milliseconds, fractions allowed. 0 is as if it was not given; Infinity, and all that a timer cannot hold (2^31 and
   * above, 24 days), is no limit. Anything else is refused with an OptionError.
   */
  readonly timeout?: number | undefined;
}

/** All that may cut a wait short, and the error that each of them means. */
export interface Limits extends WaitOptions {
  /** What is waited for, for messages: `the start of the plugin`. */
  readonly what: string;
  /** Milliseconds where no timeout is given; default: no limit. */
  readonly defaultTimeout?: number | undefined;
  /** The error of a wait whose time is over; default: a TimeoutError. */
  readonly late?: ((milliseconds: number) => Error) | undefined;
  /** Fires when what is waited for can no longer come. Its reason is the error of the wait, and must be one. */
  readonly ended?: AbortSignal | undefined;
  /** Whether the time limit keeps the process alive. Default: true, so that whoever waits gets an answer. */
  readonly keepAlive?: boolean | undefined;
}

/**
 * Calls `verdict` after a time. Bytes and events that had arrived by then are looked at first: where the event loop was
 * blocked, its timers run before them, and what is late then is this process and not the other side.
 *
 * @param milliseconds above what a timer can hold: never
 * @returns what takes it back
 */
export function startTimer(milliseconds: number, verdict: () => void, keepAlive = true): () => void {
  if (milliseconds > LONGEST_TIMER) return () => {};
  let immediate: NodeJS.Immediate | undefined;
  // By the module, not the globals: test environments for browsers replace those with timers that lack unref.
  const timer = timers.setTimeout(() => {
    immediate = timers.setImmediate(verdict);
  }, Math.ceil(milliseconds));
  if (!keepAlive) timer.unref();
  return () => {
    timers.clearTimeout(timer);
    timers.clearImmediate(immediate);
  };
}

/** The error of a wait that is over before it begins, or undefined. @throws OptionError - the signal is none */
function alreadyCut({ signal, ended, what }: Limits): Error | undefined {
  checkSignal(signal);
  if (signal?.aborted) return new AbortedError(what, signal.reason);
  return ended?.aborted ? (ended.reason as Error) : undefined;
}

/**
 * Calls `onCut` at most once, with the error of whichever limit comes first; where a signal has fired already, before
 * this returns. For waits that are no promises; the others are {@link waitFor}, {@link unlessCut} and {@link limited}.
 *
 * @returns what takes the limits back, to be called when the wait is over; harmless after `onCut`
 * @throws OptionError - the timeout is no time, or the signal none
 */
export function onceCut(limits: Limits, onCut: (error: Error) => void): () => void {
  const { signal, ended, what, late } = limits;
  const timeout = timeLimit("timeout", limits.timeout, limits.defaultTimeout ?? Infinity);
  const before = alreadyCut(limits);
  if (before !== undefined) {
    onCut(before);
    return () => {};
  }
  const cut = (error: Error): void => {
    release();
    onCut(error);
  };
  const onAbort = (): void => cut(new AbortedError(what, signal!.reason));
  const onEnded = (): void => cut(ended!.reason as Error);
  const onLate = (): void => cut(late?.(timeout) ?? new TimeoutError(what, timeout));
  const stopTimer = startTimer(timeout, onLate, limits.keepAlive);
  shareSignal(signal);
  shareSignal(ended);
  signal?.addEventListener("abort", onAbort, { once: true });
  ended?.addEventListener("abort", onEnded, { once: true });
  const release = (): void => {
    stopTimer();
    signal?.removeEventListener("abort", onAbort);
    ended?.removeEventListener("abort", onEnded);
  };
  return release;
}

/** Undoes what a wait has set up. `cut` is the error where a limit ended the wait, undefined where it settled itself. */
export type Undo = (cut: Error | undefined) => void;

/**
 * A promise that limits cut short. `start` sets up what is waited for and returns what undoes that, which is called
 * once, however the wait ends. It is not called at all where a signal has fired before.
 */
export function waitFor<T>(
  limits: Limits,
  start: (resolve: (value: T) => void, reject: (error: unknown) => void) => Undo | void,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const before = alreadyCut(limits);
    if (before !== undefined) {
      reject(before);
      return;
    }
    let over = false;
    let undo: Undo | void;
    const end = (cut?: Error): void => {
      over = true;
      release();
      undo?.(cut);
    };
    const release = onceCut(limits, (error) => {
      end(error);
      reject(error);
    });
    try {
      const begun = start(
        (value) => {
          if (!over) end();
          resolve(value);
        },
        (error) => {
          if (!over) end();
          reject(error);
        },
      );
      if (over) begun?.(undefined);
      else undo = begun;
    } catch (error) {
      end();
      reject(error);
    }
  });
}

/** What a promise gives, unless a limit comes first; the promise goes on without this wait. */
export function unlessCut<T>(promise: Promise<T>, limits: Limits): Promise<T> {
  return waitFor<T>(limits, (resolve, reject) => void promise.then(resolve, reject));
}

/**
 * Runs work that heeds a signal, and gives it one that fires with whichever limit comes first; its reason is the error
 * which that limit means. Where a limit came first and the work fails, it is this error, whatever the work made of it.
 * Settles when the work does. (AbortSignal.any over AbortSignal.timeout will not do: Node 20 forgets such a pair at the
 * next garbage collection, and it never fires.)
 */
export async function limited<T>(limits: Limits, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const abort = new AbortController();
  const release = onceCut(limits, (error) => abort.abort(error));
  try {
    return await work(abort.signal);
  } catch (error) {
    throw abort.signal.aborted ? abort.signal.reason : error;
  } finally {
    release();
  }
}

/**
 * What a promise gives within a time, else undefined. Keeps the process alive for as long: without it a wait for
 * something that has no handle of its own (any more) would end with the event loop instead of an answer.
 */
export async function within<T>(milliseconds: number, promise: Promise<T>): Promise<T | undefined> {
  let stop: (() => void) | undefined;
  const late = new Promise<undefined>((resolve) => {
    stop = startTimer(milliseconds, () => resolve(undefined));
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    stop?.();
  }
}

/**
 * Lets any number of waits share a signal: Node would take the eleventh for a leak and warn. A limit that somebody has
 * set stays as it is.
 */
export function shareSignal(signal: AbortSignal | undefined): void {
  if (signal === undefined) return;
  try {
    if (getMaxListeners(signal) === defaultMaxListeners) setMaxListeners(2 ** 31 - 1, signal);
  } catch {
    // Node 20 throws where the limit is 0, which stands for none, and for signals that are not Node's (jsdom's).
  }
}
