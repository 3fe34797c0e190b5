import type { ChildProcess } from "node:child_process";
import { readdir, readFile, readlink } from "node:fs/promises";
import { type Leftover, removeLeftover } from "./host-end/leftover.js";
import { killWithHost } from "./host-end/registry.js";
import { openBy, unixSockets } from "./identity.js";

/** Milliseconds that a process may take to stop: one that waits for the system does not sooner. */
const STOP_GRACE = 500;

/**
 * Kills a child of this process (SIGKILL), and removes its unix sockets: it has no more time to do so. It is stopped first
 * (SIGSTOP), since one that starts makes its socket in just these moments. On Linux; elsewhere nobody can tell
 * which sockets are a process's, and it is only killed.
 */
export async function killChild(child: ChildProcess): Promise<void> {
  let leftovers: Leftover[] = [];
  try {
    // By Node's handle: once a child has ended, its pid may be anybody's.
    if (process.platform === "linux" && child.kill("SIGSTOP")) {
      // Should this process end now, one that was to outlive it would stay stopped for ever.
      killWithHost(child, { watchdog: false, onUnwatched() {} });
      leftovers = await leftoversOfStopped(child.pid!);
    }
  } finally {
    child.kill("SIGKILL");
  }
  for (const leftover of leftovers) removeLeftover(leftover);
}

/**
 * The sockets that are bound by a process, and by nobody else, and the file by which one that was written in Go is choosing its
 * socket's name; none where their paths are not this process's.
 */
async function leftoversOfStopped(pid: number): Promise<Leftover[]> {
  try {
    for (let waited = 0; waited < STOP_GRACE && !(await isStopped(pid)); waited++) {
      await new Promise<void>((resolve) => setTimeout(resolve, 1));
    }
    if (!(await seesOurFiles(pid))) return [];
    const open = await openBy(pid);
    const held = new Set(open.sockets);
    const all = await unixSockets();
    // A path that was bound again is the later one's.
    const isShared = (path: string): boolean => all.filter((other) => other.path === path).length > 1;
    const bound = all.filter(({ inode, path }) => held.has(inode) && path.startsWith("/") && !isShared(path));
    return [
      ...bound.map(({ path }) => ({ kind: "socket", path }) as const),
      ...open.paths.map((path) => ({ kind: "placeholder", path }) as const),
    ];
  } catch {
    // It has ended by itself, or may not be looked at.
    return [];
  }
}

/** Whether each thread of a process has stopped: they do so one by one. */
async function isStopped(pid: number): Promise<boolean> {
  const tasks = `/proc/${pid}/task`;
  const states = (await readdir(tasks)).map(async (id) => {
    const text = await readFile(`${tasks}/${id}/stat`, "latin1");
    // proc(5): the state is behind the name, which may hold anything; "t" is that of one under a debugger.
    return text[text.lastIndexOf(")") + 2];
  });
  return (await Promise.all(states)).every((state) => state === "T" || state === "t");
}

/** Whether a path means the same to a process as to this one: not in a mount namespace, or under a root, of its own. */
async function seesOurFiles(pid: number): Promise<boolean> {
  const same = ["ns/mnt", "root"].map(
    async (name) => (await readlink(`/proc/${pid}/${name}`)) === (await readlink(`/proc/self/${name}`)),
  );
  return (await Promise.all(same)).every((is) => is);
}
