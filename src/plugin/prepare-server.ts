import type { Logger } from "../hclog/logger.js";
import { ENV } from "../protocol/constants.js";
import { parseBool } from "../protocol/parse-bool.js";
import { openSocket, type SocketOptions } from "../socket/open.js";
import type { Negotiated } from "./negotiate.js";
import type { Security } from "./security.js";
import type { ServeConfig } from "./serve-config.js";
import type { StartServer } from "./serving.js";
import { writeRealStderr } from "./stdio-capture.js";

/** What a server is made of. */
export interface ServerParts extends Negotiated {
  readonly config: ServeConfig;
  readonly logger: Logger;
  readonly security: Security;
  /** Where the broker of gRPC listens. */
  readonly brokerSocket: SocketOptions;
}

/** Makes all of the protocol's server that can fail before a host is told where to find it. */
export async function prepareServer({
  config,
  plugins,
  protocol,
  logger,
  security,
  brokerSocket,
}: ServerParts): Promise<StartServer> {
  // Whoever speaks one protocol should not pay for the other when it starts.
  if (protocol === "netrpc") {
    const { startNetRpc } = await import("./start-net-rpc.js");
    return startNetRpc(plugins, logger, security, {
      maxUnansweredBytes: config.maxUnansweredBytes,
      debug: config.debug,
    });
  }
  const { divertGrpcJsTraces, openGrpcServer } = await import("./grpc-server.js");
  // In a test the process is not the plugin's own, and its stderr not synced.
  if (config.test === undefined) divertGrpcJsTraces(writeRealStderr);
  return openGrpcServer({
    ...(config.grpcServer === true ? {} : config.grpcServer),
    transport: config.grpcTransport,
    plugins,
    logger,
    tls: security.tls,
    multiplex: parseBool(process.env[ENV.multiplexGrpc] ?? "") === true,
    debug: config.debug === true,
    listen: () => openSocket(brokerSocket),
  });
}
