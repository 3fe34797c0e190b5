import { connect, type OnReadOpts, type Socket, type TcpNetConnectOpts } from "node:net";
import { waitFor } from "../wait.js";
import { type SocketAddress, socketTarget } from "./address.js";

/** Bytes that one read may take: what a peer has sent while this side was busy comes in few reads. */
const READ_BUFFER_SIZE = 262_144;

/**
 * Connects without TLS. Rejects with Node's error where nobody listens; a socket that is no longer wanted is destroyed.
 *
 * @throws SocketError ERR_SOCKET_PATH, AbortedError
 */
export function connectSocket(address: SocketAddress, signal?: AbortSignal): Promise<Socket> {
  return connected(address, undefined, signal);
}

/**
 * Connects like {@link connectSocket}, to be read into one buffer that is used again and again (`onread` of
 * net.connect): that spares the allocation of 64 KiB, and a readable stream's work, for each read.
 *
 * @throws SocketError ERR_SOCKET_PATH, AbortedError
 */
export async function connectInPlace(
  address: SocketAddress,
  signal?: AbortSignal,
): Promise<{ readonly socket: Socket; readonly read: (take: (chunk: Buffer) => void) => void }> {
  const buffer = Buffer.allocUnsafeSlow(READ_BUFFER_SIZE);
  const early: Buffer[] = [];
  let take: ((chunk: Buffer) => void) | undefined;
  const callback = (length: number): boolean => {
    const chunk = length === buffer.length ? buffer : buffer.subarray(0, length);
    if (take !== undefined) take(chunk);
    else early.push(Buffer.from(chunk));
    // False pauses the socket: nobody reads yet.
    return take !== undefined;
  };
  const socket = await connected(address, { buffer, callback }, signal);
  const read = (reader: (chunk: Buffer) => void): void => {
    take = reader;
    for (const chunk of early.splice(0)) reader(chunk);
    socket.resume();
  };
  return { socket, read };
}

function connected(
  address: SocketAddress,
  onread: OnReadOpts | undefined,
  signal: AbortSignal | undefined,
): Promise<Socket> {
  return waitFor<Socket>({ what: "the connection", signal }, (resolve, reject) => {
    const target = { ...socketTarget(address), ...(onread !== undefined && { onread }) };
    const socket = connect(target as TcpNetConnectOpts);
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      socket.setNoDelay(true);
      resolve(socket);
    });
    return (cut) => {
      if (cut === undefined) return;
      socket.off("error", reject).on("error", () => {});
      socket.destroy();
    };
  });
}
