import { chmod, chown, mkdtemp } from "node:fs/promises";
import { join, resolve } from "node:path";
import { removeLeftover } from "../process/host-end/leftover.js";
import { removeWithHost } from "../process/host-end/registry.js";
import { SocketError } from "./errors.js";
import { checkPath, LONGEST_NAME, socketTempDir } from "./path.js";
import { groupNumber } from "./user-group.js";

export interface PrivateDirOptions {
  /** What its name begins with. */
  readonly prefix: string;
  /** Where it is made. Default: the folder for temporary files, or /tmp where that would make paths too long. */
  readonly parent?: string | undefined;
  /** Name or number of a group that may enter, too. */
  readonly group?: string | undefined;
  /** Whether it is removed when this process ends. Default: true. */
  readonly removeWithHost?: boolean | undefined;
}

/** A folder for sockets that nobody but this user (and a group that was asked for) may enter. */
export interface PrivateDir {
  readonly path: string;
  /**
   * Removes it with the sockets in it. Whatever else is in it stays, and the folder then, too. Gives what has prevented
   * the removal; never throws, harmless when called again.
   */
  remove(): Error | undefined;
}

/**
 * Makes the folder (0700; with a group 0770 and its own), as go-plugin does for its runners (client.go, Start).
 *
 * @throws SocketError ERR_SOCKET_PATH, ERR_SOCKET_GROUP, ERR_SOCKET_LISTEN
 */
export async function makePrivateDir(options: PrivateDirOptions): Promise<PrivateDir> {
  const { prefix, group, parent = socketTempDir() } = options;
  const gid = group === undefined ? undefined : await groupNumber(group);
  const pattern = resolve(parent, prefix);
  // mkdtemp appends six letters.
  checkPath(join(`${pattern}XXXXXX`, LONGEST_NAME));
  let path: string;
  try {
    path = await mkdtemp(pattern);
  } catch (cause) {
    const message = `cannot make a folder for sockets in ${parent}: ${(cause as Error).message}`;
    throw new SocketError("ERR_SOCKET_LISTEN", message, { cause });
  }
  const leftover = { kind: "folder", path } as const;
  const forget = options.removeWithHost === false ? () => {} : removeWithHost("folder", path);
  const remove = (): Error | undefined => {
    forget();
    return removeLeftover(leftover);
  };
  try {
    if (gid !== undefined) {
      await chown(path, -1, gid);
      await chmod(path, 0o770);
    }
  } catch (cause) {
    remove();
    const message = `cannot give ${path} to group ${group}: ${(cause as Error).message}`;
    throw new SocketError("ERR_SOCKET_GROUP", message, { cause });
  }
  return { path, remove };
}
