import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Duplex, pipeline } from "node:stream";
import { BrokerError } from "../broker/errors.js";
import { removeWithHost } from "../process/host-end/registry.js";
import type { GrpcAddress } from "./target.js";

/** A local socket that leads to a stream. */
export interface Bridge {
  readonly address: GrpcAddress;
  /** Ends stream and socket. */
  close(): void;
}

/**
 * Makes a stream something that grpc-js can connect to: its channels dial addresses and take no ready connection. The
 * socket is in a folder of its own that nobody else may enter (0700), takes one connection, and goes when that is made.
 */
export async function bridge(stream: Duplex): Promise<Bridge> {
  const folder = await mkdtemp(join(tmpdir(), "goplug-mux"));
  const forget = removeWithHost("folder", folder);
  const path = join(folder, "s");
  const server = createServer();
  const remove = async (): Promise<void> => {
    forget();
    await rm(folder, { recursive: true, force: true });
  };
  const close = (): void => {
    server.close();
    void remove();
    stream.destroy();
  };
  server.once("connection", (socket) => {
    server.close();
    void remove();
    // One that fails takes the other along.
    pipeline(stream, socket, stream, () => {});
  });
  server.on("error", close);
  stream.once("close", () => {
    server.close();
    void remove();
  });
  try {
    await listening(server, path);
    if (stream.destroyed) throw new BrokerError("ERR_BROKER_CLOSED", "the multiplexed stream was lost");
  } catch (error) {
    close();
    throw error;
  }
  return { address: { network: "unix", address: path }, close };
}

function listening(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => {
      server.off("error", reject);
      resolve();
    });
  });
}
