import { grpcPlugin } from "../definition/grpc-plugin.js";
import type { PluginSet } from "../definition/plugin.js";
import type { GrpcConnection } from "../grpc/connection.js";
import type { RegisterServices } from "../grpc/grpc-server.js";
import { type Logger, nullLogger } from "../hclog/logger.js";
import { Client } from "../host/client.js";
import type { ProtocolClient } from "../host/protocol-client.js";
import { calling, checkOptions } from "../options.js";
import { serve } from "../plugin/serve.js";
import type { TestReattachConfig } from "../plugin/serve-config.js";

/** Test mode has no cookie, and the version only has to be the same on both sides. */
const handshakeConfig = { protocolVersion: 1, magicCookieKey: "GOPLUG_TESTING", magicCookieValue: "pair" };

/** A host's connection to gRPC plugins that are served in the same process (go-plugin: TestPluginGRPCConn). */
export interface GrpcPluginPair<P extends PluginSet> extends AsyncDisposable {
  /** Dispense from it, as from `Client`. */
  readonly client: ProtocolClient<P>;
}

/**
 * Serves plugins over gRPC, in test mode, and connects a host to them: services, broker and health are the real ones,
 * only process and handshake are left out. What the test prints stays the test's.
 */
export async function grpcPluginPair<P extends PluginSet>(
  plugins: P,
  options: { readonly logger?: Logger } = {},
): Promise<GrpcPluginPair<P>> {
  checkOptions(options);
  const { logger = nullLogger } = options;
  const end = new AbortController();
  let served: Promise<void> | undefined;
  const reattach = await new Promise<TestReattachConfig>((onReattachConfig, reject) => {
    served = serve({ handshakeConfig, plugins, logger, signal: end.signal, test: { onReattachConfig } });
    served.catch(reject);
  });
  const host = new Client({ handshakeConfig, plugins, reattach, allowedProtocols: ["grpc"], logger });
  const dispose = async (): Promise<void> => {
    await host.kill();
    end.abort();
    await served;
  };
  try {
    return { client: await host.client(), [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** A connection to a gRPC server in the same process (go-plugin: TestGRPCConn). */
export interface GrpcPair extends AsyncDisposable {
  /** Makes clients of generated classes: `conn.client(KVClient)`. */
  readonly conn: GrpcConnection;
}

/** Connects to a server that `register` has added services to. */
export async function grpcPair(register: RegisterServices): Promise<GrpcPair> {
  calling("register", register as never);
  const plugin = grpcPlugin({
    client: ({ conn }) => conn,
    server: ({ server }) => register(server),
  });
  const pair = await grpcPluginPair({ plugin: plugin.implement(undefined) });
  const conn = await pair.client.dispense("plugin");
  return { conn, [Symbol.asyncDispose]: () => pair[Symbol.asyncDispose]() };
}
