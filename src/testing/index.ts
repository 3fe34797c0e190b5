/**
 * Connected pairs for the tests of plugin authors, in one process (go-plugin: testing.go).
 *
 * @module goplug/testing
 */

import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { PassThrough, type Writable } from "node:stream";
import { logger as loggerCheck, pluginSet, served } from "../definition/check-plugins.js";
import type { PluginSet } from "../definition/plugin.js";
import { badOption } from "../errors.js";
import type { Logger } from "../hclog/logger.js";
import { NetRpcProtocolClient } from "../host/net-rpc-client.js";
import { RpcClient, type RpcServer, type ServerLimits } from "../netrpc/index.js";
import { checkOptions, writable } from "../options.js";
import { serveConnection } from "../plugin/serve-connection.js";
import { Session } from "../yamux/index.js";

/** Two ends of one TCP connection on 127.0.0.1 (go-plugin: TestConn). */
export async function connectionPair(): Promise<[client: Socket, server: Socket]> {
  const listener = createServer({ allowHalfOpen: true });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  try {
    const { port } = listener.address() as AddressInfo;
    const client = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    const [[server]] = (await Promise.all([once(listener, "connection"), once(client, "connect")])) as [
      [Socket],
      unknown,
    ];
    return [client, server];
  } finally {
    listener.close();
  }
}

/** A connected net/rpc client and the server it talks to (go-plugin: TestRPCConn). */
export interface RpcPair extends AsyncDisposable {
  /** Connected to the server; calls its services by name. */
  readonly client: RpcClient;
  /** Resolves when the server's side is over. */
  readonly served: Promise<void>;
}

/** Connects a client to a server with registered services. */
export async function rpcPair(server: RpcServer): Promise<RpcPair> {
  if (typeof (server as Partial<RpcServer> | undefined)?.serve !== "function") {
    throw badOption("server", "an RpcServer", server);
  }
  const [near, far] = await connectionPair();
  const served = server.serve(far);
  const client = new RpcClient(near);
  return {
    client,
    served,
    async [Symbol.asyncDispose]() {
      await client.close();
      await served;
    },
  };
}

/** How {@link pluginPair} serves its plugins, and where their output goes. */
export interface PluginPairOptions extends ServerLimits {
  /** Takes what is written to the pair's `stdout`, as a host's syncStdout does. */
  readonly syncStdout?: Writable;
  /** The same for what is written to the pair's `stderr`. */
  readonly syncStderr?: Writable;
  /** Takes what both ends log. Default: nothing is logged. */
  readonly logger?: Logger;
}

/** A host's connection to plugins that are served in the same process (go-plugin: TestPluginRPCConn). */
export interface PluginPair<P extends PluginSet> extends AsyncDisposable {
  /** Dispense from it, as from `Client`. */
  readonly client: NetRpcProtocolClient<P>;
  /** What is written here the host gets as the plugin's stdout. */
  readonly stdout: PassThrough;
  /** The same for stderr. */
  readonly stderr: PassThrough;
}

/**
 * Serves plugins over a connection and connects a host to them: net/rpc, broker and synced output are the real ones,
 * only process and handshake are left out.
 *
 * @example
 * await using pair = await pluginPair({ greeter: greeter.implement({ Greet: () => "Hello!" }) });
 * assert.equal(await (await pair.client.dispense("greeter")).Greet(null), "Hello!");
 */
export async function pluginPair<P extends PluginSet>(
  plugins: P,
  options: PluginPairOptions = {},
): Promise<PluginPair<P>> {
  checkOptions(options, { syncStdout: writable, syncStderr: writable, logger: loggerCheck });
  pluginSet(served)("plugins", plugins as never);
  const [near, far] = await connectionPair();
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const { logger, maxUnansweredBytes } = options;
  const serving = { plugins, stdout, stderr, maxUnansweredBytes, ...(logger !== undefined && { logger }) };
  const over = serveConnection(far, serving);
  const client = await NetRpcProtocolClient.open(Session.client(near), { plugins, ...options });
  return {
    client,
    stdout,
    stderr,
    async [Symbol.asyncDispose]() {
      await client.disconnect();
      await over;
    },
  };
}

export { type GrpcPair, type GrpcPluginPair, grpcPair, grpcPluginPair } from "./grpc.js";
