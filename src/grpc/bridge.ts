import { type Duplex, pipeline } from "node:stream";
import { BrokerError } from "../broker/errors.js";
import type { SocketAddress } from "../socket/address.js";
import { openPrivateSocket } from "../socket/open.js";

/** A local socket that leads to a stream. */
export interface Bridge {
  readonly address: SocketAddress;
  /** Ends stream and socket. */
  close(): void;
}

/**
 * Makes a stream something that grpc-js can connect to: its channels dial addresses and take no ready connection. The
 * socket is this user's alone, takes one connection, and goes when that is made.
 */
export async function bridge(stream: Duplex): Promise<Bridge> {
  const socket = await openPrivateSocket("goplug-mux").catch((error: unknown) => {
    stream.destroy();
    throw error;
  });
  const close = (): void => {
    socket.close();
    stream.destroy();
  };
  socket.server.once("connection", (connection) => {
    socket.close();
    // One that fails takes the other along.
    pipeline(stream, connection, stream, () => {});
  });
  stream.once("close", () => socket.close());
  if (stream.destroyed) {
    close();
    throw new BrokerError("ERR_BROKER_CLOSED", "the multiplexed stream was lost");
  }
  return { address: { network: socket.network, address: socket.address }, close };
}
