import type { ChildProcess } from "node:child_process";

const live = new Set<ChildProcess>();

function killAll(): void {
  for (const child of live) child.kill("SIGKILL");
}

/**
 * Keeps a child from outliving this process: on any exit that Node lets a program see (a return from main,
 * process.exit, an uncaught exception) it is killed. Forgotten when it exits.
 */
export function killWithHost(child: ChildProcess): void {
  if (live.size === 0) process.on("exit", killAll);
  live.add(child);
  child.once("exit", () => {
    live.delete(child);
    if (live.size === 0) process.off("exit", killAll);
  });
}
