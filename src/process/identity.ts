import { execFile } from "node:child_process";
import { readdir, readFile, readlink } from "node:fs/promises";
import { promisify } from "node:util";
import { signalProcess } from "./signal-process.js";

/** Whether a process runs. One that has ended and was not yet waited for by its parent does not. */
export async function isAlive(pid: number): Promise<boolean> {
  try {
    signalProcess(pid, 0);
  } catch (error) {
    // It is there, but another user's.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
  return (await statFields(pid))?.state !== "Z";
}

/**
 * When a process was started, in the system's own unit: with the pid it names one process for good, since pids are
 * used again. Undefined where the system does not tell: on Windows.
 */
export async function startTime(
  pid: number,
  platform: NodeJS.Platform = process.platform,
): Promise<string | undefined> {
  if (platform === "linux") return (await statFields(pid))?.started;
  return platform === "win32" ? undefined : startTimeByPs(pid);
}

/** Whether {@link startTime} is a look into /proc, and not a process of its own. */
export const startTimeIsCheap = process.platform === "linux";

/** Milliseconds that ps may take. */
const PS_TIMEOUT = 5000;

/** To the second, in words that depend on neither language nor time zone: another host may have asked before. */
async function startTimeByPs(pid: number): Promise<string | undefined> {
  const env = { PATH: "/bin:/usr/bin", LC_ALL: "C", TZ: "UTC0" };
  try {
    const { stdout } = await promisify(execFile)("ps", ["-o", "lstart=", "-p", String(pid)], {
      env,
      timeout: PS_TIMEOUT,
    });
    return stdout.trim() || undefined;
  } catch {
    // There is no such process, or no ps.
    return undefined;
  }
}

/** Whether a process listens on an address: undefined where the system does not tell. */
export async function listensOn(pid: number, network: string, address: string): Promise<boolean | undefined> {
  if (process.platform !== "linux") return undefined;
  try {
    const inodes = network === "unix" ? await unixInodes(address) : await tcpInodes(address);
    return (await socketInodes(pid)).some((inode) => inodes.has(inode));
  } catch {
    // Not ours to look at (another user's process, another mount namespace).
    return undefined;
  }
}

/** proc(5), /proc/pid/stat: fields 3 (state), 4 (parent) and 22 (start); the name before them may hold anything. */
async function statFields(
  pid: number,
): Promise<{ state: string; parent: string; started: string } | undefined> {
  if (process.platform !== "linux") return undefined;
  try {
    const text = await readFile(`/proc/${pid}/stat`, "latin1");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return { state: fields[0]!, parent: fields[1]!, started: fields[19]! };
  } catch {
    return undefined;
  }
}

/** Inodes of the sockets that a process holds. */
export async function socketInodes(pid: number): Promise<string[]> {
  const found: string[] = [];
  for (const fd of await readdir(`/proc/${pid}/fd`)) {
    const target = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => "");
    const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
    if (inode !== undefined) found.push(inode);
  }
  return found;
}

/** The unix sockets of this network namespace that listen on a path. */
export async function unixSockets(): Promise<{ inode: string; path: string }[]> {
  const found: { inode: string; path: string }[] = [];
  for (const line of (await readFile("/proc/net/unix", "utf8")).split("\n")) {
    // Num RefCount Protocol Flags Type St Inode Path; the flag is the kernel's __SO_ACCEPTCON.
    const match = /^\S+ \S+ \S+ 00010000 \S+ \S+ +(\d+) (.*)$/.exec(line);
    if (match !== null) found.push({ inode: match[1]!, path: match[2]! });
  }
  return found;
}

/** Inodes of the sockets bound to a path. */
async function unixInodes(path: string): Promise<Set<string>> {
  return new Set((await unixSockets()).filter((socket) => socket.path === path).map(({ inode }) => inode));
}

/** Inodes of the sockets that listen on a port. */
async function tcpInodes(address: string): Promise<Set<string>> {
  const port = Number(address.slice(address.lastIndexOf(":") + 1))
    .toString(16)
    .toUpperCase()
    .padStart(4, "0");
  const found = new Set<string>();
  for (const table of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    for (const line of (await readFile(table, "utf8").catch(() => "")).split("\n")) {
      // sl local_address rem_address st ...; state 0A is LISTEN, the tenth field the inode.
      const fields = line.trim().split(/\s+/);
      if (fields[1]?.endsWith(`:${port}`) && fields[3] === "0A") found.add(fields[9]!);
    }
  }
  return found;
}
