import type { ChildProcess } from "node:child_process";
import { rmSync } from "node:fs";

const live = new Set<ChildProcess>();
const leftovers = new Set<string>();
const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

function killAll(): void {
  for (const child of live) child.kill("SIGKILL");
  for (const path of leftovers) rmSync(path, { recursive: true, force: true });
}

/** A signal that would end this process unseen: the children go first. A user's own handler decides by itself. */
function onSignal(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) > 1) return;
  killAll();
  process.off(signal, onSignal);
  process.kill(process.pid, signal);
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
