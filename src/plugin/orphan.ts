import timers from "node:timers";
import { signalProcess } from "../process/signal-process.js";

/** What the watch looks at; all but `openConnections` and `onOrphaned` has a default. */
export interface OrphanWatchOptions {
  /** How many hosts are connected now. */
  readonly openConnections: () => number;
  /** Called once, when the host has been gone long enough. */
  readonly onOrphaned: () => void;
  /** Milliseconds without parent and connection after which the plugin counts as orphaned; default 10,000. */
  readonly graceMs?: number | undefined;
  /** Milliseconds between two looks; default 1000. */
  readonly intervalMs?: number | undefined;
  /** Whether the process that started this one is gone; default: see {@link parentWatch}. */
  readonly parentGone?: (() => boolean) | undefined;
  /** Milliseconds on a clock that never goes back; default performance.now. */
  readonly now?: (() => number) | undefined;
  /** Calls back again and again until the function that it returns is called; default: an unref'd interval. */
  readonly every?: ((milliseconds: number, look: () => void) => () => void) | undefined;
}

/** A plugin that nobody can reach any more ends itself after so many milliseconds. */
export const ORPHAN_GRACE_MS = 10_000;

/**
 * Watches for the death of the host, and returns what ends the watch. The host counts as dead when the parent process
 * is gone and, for the time of grace, no connection has been open. Neither alone is proof: a launcher between host and
 * plugin may end while the host lives on, and a living host may have no connection open.
 *
 * go-plugin has no such watch: its plugins stay behind when a host is killed.
 */
export function watchOrphan(options: OrphanWatchOptions): () => void {
  const { openConnections, onOrphaned, graceMs = ORPHAN_GRACE_MS, intervalMs = 1000 } = options;
  const parentGone = options.parentGone ?? parentWatch();
  const now = options.now ?? (() => performance.now());
  let aloneSince: number | undefined;
  const stop = (options.every ?? everyUnref)(intervalMs, () => {
    if (openConnections() > 0 || !parentGone()) {
      aloneSince = undefined;
      return;
    }
    aloneSince ??= now();
    if (now() - aloneSince < graceMs) return;
    stop();
    onOrphaned();
  });
  return stop;
}

function everyUnref(milliseconds: number, look: () => void): () => void {
  // By the module, not the globals: test environments for browsers replace those with timers that lack unref.
  const timer = timers.setInterval(look, milliseconds);
  timer.unref();
  return () => timers.clearInterval(timer);
}

/**
 * Tells whether the process that was the parent at the time of the call is gone. POSIX systems give an orphan another
 * parent; Windows keeps the number, so there the process itself is looked for.
 */
export function parentWatch(
  parent: () => number = () => process.ppid,
  platform: NodeJS.Platform = process.platform,
): () => boolean {
  const first = parent();
  return platform === "win32" ? () => !processExists(first) : () => parent() !== first;
}

function processExists(pid: number): boolean {
  try {
    signalProcess(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
