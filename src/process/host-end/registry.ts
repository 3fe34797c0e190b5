import type { ChildProcess } from "node:child_process";
import { type Leftover, removeLeftover } from "./leftover.js";
import { onEndingSignal } from "./signals.js";
import { Watchdog } from "./watchdog.js";

// What must not outlive this thread's share of the process. Each thread (and each copy of the library in a bundle) has
// its own: a worker thread sees its own end only, and signals not at all, so there the watchdog does most of the work.
const children = new Set<ChildProcess>();
const leftovers = new Set<Leftover>();
const watchdog = new Watchdog();
let isWaitingForExit = false;
let stopSignals: (() => void) | undefined;

/** Settings of {@link killWithHost}. */
export interface KillWithHostOptions {
  /** Whether the child is killed, too, when this process ends in a way that no program sees. */
  readonly watchdog: boolean;
  /** Told when there can be no watchdog. */
  readonly onUnwatched: (error: Error) => void;
}

/**
 * Keeps a child from outliving this process: it is killed on any end that Node lets a program see (process.exit, an
 * uncaught exception, a signal that nobody else handles), and by the watchdog on any other (SIGKILL, a crash, a worker
 * thread that is terminated). Forgotten when it exits.
 */
export function killWithHost(child: ChildProcess, options: KillWithHostOptions): void {
  const { pid } = child;
  if (pid === undefined) return;
  const watched = options.watchdog ? `kill ${pid}` : undefined;
  children.add(child);
  listen();
  if (watched !== undefined) watchdog.add(watched, options.onUnwatched);
  child.once("exit", () => {
    children.delete(child);
    if (watched !== undefined) watchdog.remove(watched);
    listen();
  });
}

/**
 * Has something removed when this process ends, if it is still there: killed, neither a child nor this process itself
 * can do it. Returns the function that takes the path back.
 */
export function removeWithHost(kind: Leftover["kind"], path: string): () => void {
  const leftover: Leftover = { kind, path };
  leftovers.add(leftover);
  listen();
  watchdog.add(`${kind} ${path}`);
  return () => {
    leftovers.delete(leftover);
    listen();
    watchdog.remove(`${kind} ${path}`);
  };
}

/**
 * Listens to the end of the process while there is something to end or to remove, by one listener for all; to signals
 * only for children: without any, whoever made a socket decides what signals do.
 */
function listen(): void {
  const hasWork = children.size > 0 || leftovers.size > 0;
  if (hasWork && !isWaitingForExit) process.on("exit", endAll);
  else if (!hasWork) process.off("exit", endAll);
  isWaitingForExit = hasWork;
  if (children.size > 0) stopSignals ??= onEndingSignal(endAll);
  else {
    stopSignals?.();
    stopSignals = undefined;
  }
}

function endAll(): void {
  for (const child of children) child.kill("SIGKILL");
  for (const leftover of leftovers) removeLeftover(leftover);
}
