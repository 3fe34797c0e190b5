import type { Duplex } from "node:stream";
import type { PluginSet } from "../definition/plugin.js";
import type { GrpcTransport } from "../grpc/connection.js";
import { type GrpcServeOptions, PluginEnd } from "../grpc/plugin-end.js";
import type { Logger } from "../hclog/logger.js";
import type { OpenSocket } from "../socket/open.js";
import type { PluginTls } from "../tls/plugin-options.js";
import { ServeError } from "./errors.js";
import type { ProtocolServer } from "./protocol-server.js";
import type { Output, StartServer } from "./serving.js";

export { divertGrpcJsTraces } from "../grpc/traces.js";

export interface GrpcServerOptions extends GrpcServeOptions {
  readonly plugins: PluginSet;
  readonly logger: Logger;
  readonly tls: PluginTls | undefined;
  readonly multiplex: boolean;
  readonly debug: boolean;
  readonly transport: GrpcTransport | undefined;
  /** Opens a listener for a brokered id. */
  readonly listen: () => Promise<OpenSocket>;
}

/** Milliseconds for running calls after a host has asked for the end: it kills the plugin 2 s after. */
const QUIT_GRACE = 1000;

/**
 * The plugin's side of gRPC mode, with all services registered. Rejects where a plugin of the set cannot be served
 * over gRPC.
 */
export async function openGrpcServer(options: GrpcServerOptions): Promise<StartServer> {
  let quitting = false;
  // Hosts come, and ask for the output, only once the server is started.
  let output: Output;
  let onQuit: () => Promise<void>;
  const end = await PluginEnd.open({
    ...options,
    stdout: { attach: (sink) => output.stdout.attach(sink) },
    stderr: { attach: (sink) => output.stderr.attach(sink) },
    onShutdown() {
      quitting = true;
      return onQuit();
    },
    async register(server, broker) {
      for (const [name, plugin] of Object.entries(options.plugins)) {
        if (!("grpcServer" in plugin)) {
          throw new ServeError("ERR_SERVE_PLUGIN", `"${name}" is not a GRPC-compatible plugin`);
        }
        try {
          await plugin.grpcServer({ server, broker });
        } catch (cause) {
          const message = `error registering "${name}": ${(cause as Error).message}`;
          throw new ServeError("ERR_SERVE_PLUGIN", message, { cause });
        }
      }
    },
  });
  const server: ProtocolServer = {
    get openConnections() {
      return end.openConnections;
    },
    serve: (connection: Duplex) => end.serveConnection(connection),
    stopServing: () => end.stopServing(),
    close: () => end.close(quitting ? Math.min(options.gracePeriod ?? QUIT_GRACE, QUIT_GRACE) : undefined),
    closeNow: () => end.closeNow(),
  };
  return (...given) => {
    [output, onQuit] = given;
    return server;
  };
}
