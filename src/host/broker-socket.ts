import { randomInt } from "node:crypto";
import { chmod, chown, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isMainThread } from "node:worker_threads";
import type { BrokerSocket } from "../grpc/broker.js";
import { findGroup } from "../process/group.js";
import { removeWithHost } from "../process/host-end/registry.js";
import { SocketError } from "../socket/errors.js";

/** Where the host's own sockets go, and who may connect beside the owner. */
export interface HostSockets {
  /** Default: the system's folder for temporary files. */
  readonly directory?: string | undefined;
  readonly group?: string | undefined;
}

/** Opens a unix socket for one brokered id, as the plugin opens its own (server.go, serverListener_unix). */
export async function openBrokerSocket({ directory, group }: HostSockets): Promise<BrokerSocket> {
  const gid = group === undefined ? undefined : await findGroup(group);
  if (group !== undefined && gid === undefined)
    throw new SocketError("ERR_SOCKET_GROUP", `failed to find gid from "${group}"`);
  const path = join(directory ?? tmpdir(), `plugin${randomInt(2 ** 32)}`);
  const server = createServer();
  const forget = removeWithHost("socket", path);
  const close = (): void => {
    forget();
    server.close();
    void rm(path, { force: true });
  };
  try {
    await listen();
    if (gid !== undefined) await chown(path, -1, gid);
    await chmod(path, gid === undefined ? 0o700 : 0o660);
  } catch (error) {
    close();
    throw error;
  }
  return { network: "unix", address: path, server, close };

  function listen(): Promise<void> {
    // Nobody else may connect in the moment before the change of mode; a worker thread cannot set the mask.
    const before = isMainThread ? process.umask(0o077) : undefined;
    try {
      return new Promise((resolve, reject) => {
        server.once("error", reject);
        server.listen(path, () => {
          server.off("error", reject);
          resolve();
        });
      });
    } finally {
      if (before !== undefined) process.umask(before);
    }
  }
}
