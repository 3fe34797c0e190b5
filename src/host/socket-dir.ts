import { chmod, chown, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findGroup } from "../process/group.js";
import { removeWithHost } from "../process/host-end/registry.js";
import type { UnixSocketConfig } from "./config.js";
import { StartError } from "./errors.js";

/** The private folder that the sockets of one plugin are in. */
export interface SocketDir {
  readonly path: string;
  remove(): Promise<void>;
}

/** Makes the folder (0700; with a group 0770 and its own), as go-plugin does for its runners (client.go, Start). */
export async function makeSocketDir({ group, tempDir = tmpdir() }: UnixSocketConfig): Promise<SocketDir> {
  const gid = group === undefined ? undefined : await findGroup(group);
  if (group !== undefined && gid === undefined) {
    throw new StartError("ERR_START_SOCKET_GROUP", `failed to find gid from ${JSON.stringify(group)}`, "");
  }
  const path = await mkdtemp(join(tempDir, "plugin-dir"));
  const forget = removeWithHost("folder", path);
  const remove = async (): Promise<void> => {
    forget();
    await rm(path, { recursive: true, force: true });
  };
  try {
    if (gid !== undefined) {
      await chown(path, -1, gid);
      await chmod(path, 0o770);
    }
  } catch (cause) {
    await remove();
    const reason = (cause as Error).message;
    throw new StartError("ERR_START_SOCKET_GROUP", `cannot give ${path} to group ${group}: ${reason}`, "", {
      cause,
    });
  }
  return { path, remove };
}
