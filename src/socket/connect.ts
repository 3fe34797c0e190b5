import { connect, type Socket } from "node:net";
import { waitFor } from "../wait.js";
import { type SocketAddress, socketTarget } from "./address.js";

/**
 * Connects without TLS. Rejects with Node's error where nobody listens; a socket that is no longer wanted is destroyed.
 *
 * @throws SocketError ERR_SOCKET_PATH, AbortedError
 */
export function connectSocket(address: SocketAddress, signal?: AbortSignal): Promise<Socket> {
  return waitFor<Socket>({ what: "the connection", signal }, (resolve, reject) => {
    const socket = connect(socketTarget(address));
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
