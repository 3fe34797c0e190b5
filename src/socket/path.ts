import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { SocketError } from "./errors.js";

/**
 * Bytes of a path that the address structure holds beside its closing zero: 108 in all on Linux (unix(7)), 104 on macOS
 * and the BSDs. Node 20 cuts off what is longer without a word, and the socket gets another name.
 */
export function longestPath(platform: NodeJS.Platform = process.platform): number {
  return platform === "linux" || platform === "android" ? 107 : 103;
}

/** The longest name that a plugin, ours or Go's (os.CreateTemp), gives to a socket. */
export const LONGEST_NAME = `plugin${2 ** 32 - 1}`;

/** Where sockets go when the folder for temporary files is too deep. Every POSIX system has it. */
const SHORT_FOLDER = "/tmp";

/** @throws SocketError ERR_SOCKET_PATH */
export function checkPath(path: string, platform: NodeJS.Platform = process.platform): string {
  const bytes = Buffer.byteLength(path);
  const most = longestPath(platform);
  if (platform === "win32" || bytes <= most) return path;
  throw new SocketError(
    "ERR_SOCKET_PATH",
    `the socket path ${path} has ${bytes} bytes, and the system allows ${most}: use a shorter folder`,
  );
}

/** How the names of Windows's named pipes begin. */
const PIPE_PREFIX = /^[\\/]{2}[.?][\\/]pipe[\\/]/i;

/** What Node can connect to by a path on Windows. @throws SocketError ERR_SOCKET_PATH */
export function checkPipe(path: string): string {
  if (PIPE_PREFIX.test(path)) return path;
  const message = `Node has no unix sockets on Windows, and cannot connect to ${path}: the other side has to use TCP`;
  throw new SocketError("ERR_SOCKET_PATH", message);
}

/** Whether every socket that a plugin may make in a folder has a path that the system takes. */
export function hasRoom(folder: string, platform: NodeJS.Platform = process.platform): boolean {
  if (platform === "win32") return true;
  return Buffer.byteLength(join(resolve(folder), LONGEST_NAME)) <= longestPath(platform);
}

/**
 * The folder for temporary files as Go knows it (os.TempDir), so that host and plugin mean the same one: on POSIX
 * systems TMPDIR alone. Node's tmpdir() also reads TMP and TEMP there.
 */
export function tempDir(env: Readonly<Record<string, string | undefined>> = process.env): string {
  return process.platform === "win32" ? tmpdir() : env.TMPDIR || "/tmp";
}

/** The folder for temporary files, or a shorter one where a socket's path in it would be too long. */
export function socketTempDir(): string {
  const folder = resolve(tempDir());
  return hasRoom(folder) ? folder : SHORT_FOLDER;
}

/** A new name for a socket, as Go's plugins choose theirs. */
export function socketName(): string {
  return `plugin${Math.floor(Math.random() * 2 ** 32)}`;
}
