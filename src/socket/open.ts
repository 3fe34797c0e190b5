import { chmodSync, chownSync, existsSync } from "node:fs";
import { type AddressInfo, createServer, type Server } from "node:net";
import { dirname, join, resolve } from "node:path";
import { isMainThread } from "node:worker_threads";
import { builtin } from "../builtin.js";
import { removeLeftover } from "../process/host-end/leftover.js";
import { removeWithHost } from "../process/host-end/registry.js";
import { ENV, type Network } from "../protocol/constants.js";
import type { SocketAddress } from "./address.js";
import { SocketError } from "./errors.js";
import { checkPath, socketName, socketTempDir } from "./path.js";
import { makePrivateDir } from "./private-dir.js";
import { groupNumber } from "./user-group.js";

/** Where a unix socket goes and who may connect. */
interface UnixSocketOptions {
  /** Default: the folder for temporary files, or /tmp where that would make the path too long. */
  readonly directory?: string | undefined;
  /** Name or number of a group that may connect, too; default: only the owner may. */
  readonly group?: string | undefined;
}

export interface SocketOptions extends UnixSocketOptions {
  /** Default: `unix`, on Windows `tcp`, as go-plugin. */
  readonly network?: Network | undefined;
  /** The lowest and highest TCP port; 0 and 0 (the default): any port that the system gives. */
  readonly minPort?: number | undefined;
  readonly maxPort?: number | undefined;
}

/** A listening socket, and where it is. */
export interface OpenSocket extends SocketAddress {
  readonly server: Server;
  /** Stops listening and removes the socket file; connections go on. Harmless when called again, never throws. */
  close(): void;
}

/** The network that a socket of these options is of. */
export function networkOf({ network }: SocketOptions, platform: NodeJS.Platform = process.platform): Network {
  return network ?? (platform === "win32" ? "tcp" : "unix");
}

/**
 * Opens a socket for the other side: a unix socket for the owner (and the group that was asked for), or TCP on
 * 127.0.0.1, the first free port of the range (server.go, serverListener). The socket file is removed by `close` and
 * when the process exits.
 *
 * @throws SocketError
 */
export async function openSocket(
  options: SocketOptions = {},
  platform: NodeJS.Platform = process.platform,
): Promise<OpenSocket> {
  if (networkOf(options, platform) === "tcp")
    return openTcpSocket(options.minPort ?? 0, options.maxPort ?? 0);
  if (platform !== "win32") return openUnixSocket(options);
  throw new SocketError("ERR_SOCKET_LISTEN", 'Node has no unix sockets on Windows: use the network "tcp"');
}

/**
 * Opens a unix socket of a new name, `plugin` and a number (server.go, serverListener_unix).
 *
 * @throws SocketError ERR_SOCKET_PATH, ERR_SOCKET_GROUP, ERR_SOCKET_LISTEN
 */
async function openUnixSocket({ directory, group }: UnixSocketOptions = {}): Promise<OpenSocket> {
  const path = checkPath(join(directory ? resolve(directory) : socketTempDir(), socketName()));
  const gid = group ? await groupNumber(group) : undefined;
  const server = createServer();
  const leftover = { kind: "socket", path } as const;
  const forget = removeWithHost("socket", path);
  const close = (): void => {
    forget();
    server.close();
    removeLeftover(leftover);
  };
  try {
    await withPrivateUmask(() => listen(server, path));
    // The owner's group must not get what is meant for the other one: owner first, then mode.
    if (gid !== undefined) chownSync(path, -1, gid);
    chmodSync(path, gid === undefined ? 0o700 : 0o660);
  } catch (cause) {
    close();
    // Node says EACCES where the folder is missing.
    const reason = existsSync(dirname(path))
      ? (cause as Error).message
      : `there is no folder ${dirname(path)}`;
    throw new SocketError("ERR_SOCKET_LISTEN", `cannot listen on ${path}: ${reason}`, { cause });
  }
  return { server, network: "unix", address: path, close };
}

async function openTcpSocket(minPort: number, maxPort: number): Promise<OpenSocket> {
  if (minPort > maxPort) {
    throw new SocketError(
      "ERR_SOCKET_PORT",
      `${ENV.minPort} value of ${minPort} is greater than ${ENV.maxPort} value of ${maxPort}`,
    );
  }
  let cause: unknown;
  for (let port = Math.max(0, minPort); port <= Math.min(maxPort, 65_535); port++) {
    const server = createServer();
    try {
      await listen(server, port, "127.0.0.1");
    } catch (error) {
      cause = error;
      continue;
    }
    const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    return { server, network: "tcp", address, close: () => void server.close() };
  }
  throw new SocketError("ERR_SOCKET_PORT", "couldn't bind plugin TCP listener", { cause });
}

/** Makes the server listen, and waits until it does. */
function listen(server: Server, ...where: [path: string] | [port: number, host: string]): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(...(where as [string]), () => {
      server.off("error", reject);
      // A connection that cannot be accepted (too many open files) is its peer's loss, not the process's.
      server.on("error", () => {});
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

/**
 * Opens a local socket that this user alone can find and connect to: in a folder of its own; on Windows a named pipe.
 *
 * @throws SocketError ERR_SOCKET_PATH, ERR_SOCKET_LISTEN
 */
export async function openPrivateSocket(prefix: string): Promise<OpenSocket> {
  if (process.platform === "win32") return openPipe(prefix);
  const directory = await makePrivateDir({ prefix });
  try {
    const socket = await openUnixSocket({ directory: directory.path });
    const close = (): void => {
      socket.close();
      directory.remove();
    };
    return { ...socket, close };
  } catch (error) {
    directory.remove();
    throw error;
  }
}

async function openPipe(prefix: string): Promise<OpenSocket> {
  const address = `\\\\.\\pipe\\${prefix}-${builtin.crypto.randomUUID()}`;
  const server = createServer();
  try {
    await listen(server, address);
  } catch (cause) {
    const message = `cannot listen on ${address}: ${(cause as Error).message}`;
    throw new SocketError("ERR_SOCKET_LISTEN", message, { cause });
  }
  return { server, network: "unix", address, close: () => void server.close() };
}
