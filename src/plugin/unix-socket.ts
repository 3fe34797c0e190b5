import { randomInt } from "node:crypto";
import { chmodSync, chownSync, unlinkSync } from "node:fs";
import type { Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isMainThread } from "node:worker_threads";
import { findGroup } from "../process/group.js";
import { ServeError } from "./errors.js";

/** Where a unix socket goes and who may connect. */
export interface UnixSocketOptions {
  /** Default: the system's directory for temporary files. */
  readonly directory?: string | undefined;
  /** Name or number of a group that may connect, too; default: only the owner may. */
  readonly group?: string | undefined;
}

/** Bytes of a socket path that the address structure holds beside its closing zero. */
const MAX_PATH_BYTES = process.platform === "linux" ? 107 : 103;

/**
 * Makes the server listen on a new unix socket, `plugin` and a number, that only the owner can connect to, or the
 * group if one is named (server.go, serverListener_unix). Resolves with the path.
 * @throws ServeError ERR_SERVE_SOCKET_PATH, ERR_SERVE_SOCKET_GROUP, ERR_SERVE_LISTEN
 */
export async function listenUnix(server: Server, options: UnixSocketOptions): Promise<string> {
  const path = join(options.directory || tmpdir(), `plugin${randomInt(2 ** 32)}`);
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) {
    throw new ServeError(
      "ERR_SERVE_SOCKET_PATH",
      `the socket path ${path} is longer than the ${MAX_PATH_BYTES} bytes that the system allows: ` +
        "set TMPDIR or PLUGIN_UNIX_SOCKET_DIR to a shorter directory",
    );
  }
  const group = options.group ? await groupNumber(options.group) : undefined;
  try {
    await withPrivateUmask(() => listen(server, path));
    // The owner's group must not get what is meant for the other one: owner first, then mode.
    if (group !== undefined) chownSync(path, -1, group);
    chmodSync(path, group === undefined ? 0o700 : 0o660);
  } catch (cause) {
    server.close();
    removeSocket(path);
    throw new ServeError("ERR_SERVE_LISTEN", `cannot listen on ${path}: ${(cause as Error).message}`, {
      cause,
    });
  }
  return path;
}

/** Removes a socket file; one that is gone already is no error. */
export function removeSocket(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Node removes it, too, when the server closes; and nothing could be done about a failure here.
  }
}

/** Makes the server listen, and waits until it does. */
export function listen(
  server: Server,
  ...where: [path: string] | [port: number, host: string]
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(...(where as [string]), () => {
      server.off("error", reject);
      resolve();
    });
  });
}

/** The socket must not be open to others for the moment between its making and the change of its mode. */
function withPrivateUmask<T>(make: () => T): T {
  // A worker thread cannot change the umask; there the change of mode has to do.
  if (!isMainThread) return make();
  const before = process.umask(0o077);
  try {
    // Node binds the socket before listen returns.
    return make();
  } finally {
    process.umask(before);
  }
}

async function groupNumber(group: string): Promise<number> {
  const id = await findGroup(group);
  if (id === undefined) {
    throw new ServeError("ERR_SERVE_SOCKET_GROUP", `failed to find gid from ${JSON.stringify(group)}`);
  }
  return id;
}
