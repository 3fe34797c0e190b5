import type { Network } from "../protocol/constants.js";
import { checkPath, checkPipe } from "./path.js";

/** Where somebody listens. */
export interface SocketAddress {
  /** What kind of socket. */
  readonly network: Network;
  /** A unix socket's path, or `host:port`. */
  readonly address: string;
}

/** What `net.connect` and `tls.connect` take to connect there. */
export type SocketTarget = { path: string } | { host: string; port: number };

/**
 * An address as Node's `connect` functions take it.
 *
 * @throws SocketError ERR_SOCKET_PATH - Node would cut it off, and look for another socket; or it is no named pipe,
 *   which are all that Node connects to by a path on Windows
 */
export function socketTarget(
  { network, address }: SocketAddress,
  platform: NodeJS.Platform = process.platform,
): SocketTarget {
  if (network === "unix")
    return { path: platform === "win32" ? checkPipe(address) : checkPath(address, platform) };
  const colon = address.lastIndexOf(":");
  const host = address.slice(0, colon).replace(/^\[(.*)\]$/, "$1");
  return { host: host === "" ? "localhost" : host, port: Number(address.slice(colon + 1)) };
}
