import { randomInt } from "node:crypto";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { SocketError } from "./errors.js";

/**
 * Bytes of a path that the address structure holds beside its closing zero: 108 in all on Linux (unix(7)), 104 on macOS
 * and the BSDs. Node 20 cuts off what is longer without a word, and the socket gets another name.
 */
export const longestPath = process.platform === "linux" ? 107 : 103;

/** The longest name that a plugin, ours or Go's (os.CreateTemp), gives to a socket. */
export const longestName = `plugin${2 ** 32 - 1}`;

/** Where sockets go when the folder for temporary files is too deep. Every POSIX system has it. */
const shortFolder = "/tmp";

/** @throws SocketError ERR_SOCKET_PATH */
export function checkPath(path: string): string {
  const bytes = Buffer.byteLength(path);
  if (process.platform === "win32" || bytes <= longestPath) return path;
  throw new SocketError(
    "ERR_SOCKET_PATH",
    `the socket path ${path} has ${bytes} bytes, and the system allows ${longestPath}: use a shorter folder`,
  );
}

/** Whether every socket that a plugin may make in a folder has a path that the system takes. */
export function hasRoom(folder: string): boolean {
  return process.platform === "win32" || Buffer.byteLength(join(resolve(folder), longestName)) <= longestPath;
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
  return hasRoom(folder) ? folder : shortFolder;
}

/** A new name for a socket, as Go's plugins choose theirs. */
export function socketName(): string {
  return `plugin${randomInt(2 ** 32)}`;
}
