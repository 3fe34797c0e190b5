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
    return (await openBy(pid)).sockets.some((inode) => inodes.has(inode));
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

/** What a process has open: inodes of sockets, and paths, of things that are no files as the system writes them. */
export async function openBy(pid: number): Promise<{ sockets: string[]; paths: string[] }> {
  const open: { sockets: string[]; paths: string[] } = { sockets: [], paths: [] };
  for (const fd of await readdir(`/proc/${pid}/fd`)) {
    const target = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => "");
    const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
    if (inode !== undefined) open.sockets.push(inode);
    else open.paths.push(target);
  }
  return open;
}

/** A unix socket that has a path of its own: one that was accepted shows its listener's, and is not meant. */
export interface BoundSocket {
  readonly inode: string;
  readonly path: string;
  /** Whether it listens yet. */
  readonly listens: boolean;
}

/** The unix sockets of this network namespace that are bound to a path. */
export async function unixSockets(): Promise<BoundSocket[]> {
  const found: BoundSocket[] = [];
  for (const line of (await readFile("/proc/net/unix", "utf8")).split("\n")) {
    // Num RefCount Protocol Flags Type St Inode Path; the flag is the kernel's __SO_ACCEPTCON, the state SS_UNCONNECTED.
    const match = /^\S+ \S+ \S+ (\d+) \S+ 01 +(\d+) (.*)$/.exec(line);
    if (match !== null) found.push({ inode: match[2]!, path: match[3]!, listens: match[1] === "00010000" });
  }
  return found;
}

/** Inodes of the sockets that listen on a path. */
async function unixInodes(path: string): Promise<Set<string>> {
  const listening = (await unixSockets()).filter((socket) => socket.listens && socket.path === path);
  return new Set(listening.map(({ inode }) => inode));
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
