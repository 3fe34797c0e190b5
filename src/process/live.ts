import type { ChildProcess } from "node:child_process";
import { rmSync } from "node:fs";
import { signalProcess } from "./signal-process.js";

const live = new Set<ChildProcess>();
const leftovers = new Set<string>();
const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

function killAll(): void {
  for (const child of live) child.kill("SIGKILL");
  for (const path of leftovers) rmSync(path, { recursive: true, force: true });
}

interface HookCount {
  readonly count?: number;
}

/**
 * How many of a signal's listeners are those of the package signal-exit, which many others bring along. Like this
 * module it lets a signal end the process once no listener but its own is left: if each of the two took the other for a
 * user's handler, the signal would end nothing. Both its versions in use keep their number where others find it.
 */
function exitHooks(): number {
  const { [Symbol.for("signal-exit emitter")]: current } = globalThis as {
    [key: symbol]: HookCount | undefined;
  };
  const { __signal_exit_emitter__: older } = process as { __signal_exit_emitter__?: HookCount };
  return (current?.count ?? 0) + (older?.count ?? 0);
}

/** A signal that would end this process unseen: the children go first. A user's own handler decides by itself. */
function onSignal(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) > 1 + exitHooks()) return;
  killAll();
  process.off(signal, onSignal);
  signalProcess(process.pid, signal);
}

/**
 * Keeps a child from outliving this process: on any end that Node lets a program see (a return from main,
 * process.exit, an uncaught exception, a signal that nobody else handles) it is killed. Forgotten when it exits.
 */
export function killWithHost(child: ChildProcess): void {
  if (live.size === 0) {
    process.on("exit", killAll);
    for (const signal of signals) process.on(signal, onSignal);
  }
  live.add(child);
  child.once("exit", () => {
    live.delete(child);
    if (live.size > 0) return;
    process.off("exit", killAll);
    for (const signal of signals) process.off(signal, onSignal);
  });
}

/**
 * Has a file or folder of a child removed when this process ends with the child still there: killed, the child cannot
 * do it. Returns the function that takes the path back.
 */
export function removeWithHost(path: string): () => void {
  leftovers.add(path);
  return () => leftovers.delete(path);
}
