import type { ChildProcess } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { socketInodes, unixSockets } from "./identity.js";

/** Milliseconds that a process may take to stop: one that waits for the system does not sooner. */
const STOP_GRACE = 500;

/**
 * Stops a child of this process (SIGSTOP), and tells the paths of the unix sockets that it listens on. Stopped first: one
 * that starts makes its socket in just these moments. Elsewhere than on Linux nothing is done, and none is told.
 */
export async function socketsOfStopped(child: ChildProcess): Promise<string[]> {
  // Node signals a child by its handle: once it has ended, its pid may be anybody's.
  if (process.platform !== "linux" || !child.kill("SIGSTOP")) return [];
  const pid = child.pid!;
  try {
    for (let waited = 0; waited < STOP_GRACE && !(await isStopped(pid)); waited++) await sleep(1);
    const held = new Set(await socketInodes(pid));
    return (await unixSockets())
      .filter(({ inode, path }) => held.has(inode) && path.startsWith("/"))
      .map(({ path }) => path);
  } catch {
    // It has ended by itself.
    return [];
  }
}

/** Whether each thread of a process has stopped: they do so one by one. */
async function isStopped(pid: number): Promise<boolean> {
  const tasks = `/proc/${pid}/task`;
  const states = (await readdir(tasks)).map(async (id) => {
    const text = await readFile(`${tasks}/${id}/stat`, "latin1");
    // proc(5): the state is behind the name, which may hold anything.
    return text[text.lastIndexOf(")") + 2];
  });
  return (await Promise.all(states)).every((state) => state === "T");
}
