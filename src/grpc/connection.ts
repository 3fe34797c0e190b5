import type { ChannelOptions } from "@grpc/grpc-js";
import type { Logger } from "../hclog/logger.js";
import type { ConnectOptions, GrpcTransport, OpenConnection, Way } from "./grpc-connection.js";
import { loadGrpcJs, needs } from "./load-grpc-js.js";
import { defaultChannelOptions } from "./target.js";
import { unknownOption } from "./transport/options.js";

export type {
  ClientClass,
  ConnectOptions,
  GrpcConnection,
  GrpcTransport,
  OpenConnection,
  Way,
} from "./grpc-connection.js";

/**
 * Connects, and waits until the connection stands. It does not try again when the first attempt fails: nobody but the
 * plugin can ever listen there.
 * @throws GrpcConnectError, AbortedError, GrpcMissingError
 */
export async function connectGrpc(way: Way, connect: ConnectOptions = {}): Promise<OpenConnection> {
  const options = { ...defaultChannelOptions, ...connect.options };
  if (chooseTransport(connect.transport, options, connect.logger) === "goplug") {
    const { connectOwn } = await import("./own-connection.js");
    return connectOwn(way, options, connect);
  }
  const grpcJs = await loadGrpcJs(needs.transport);
  const { connectGrpcJs } = await import("./grpc-js-connection.js");
  return connectGrpcJs(grpcJs, way, options, connect);
}

/**
 * Makes sure that the package is there which connections with these options need.
 * @throws GrpcMissingError
 */
export async function checkTransport(
  asked: GrpcTransport | undefined,
  options: ChannelOptions,
): Promise<void> {
  if (chooseTransport(asked, options, undefined) === "grpc-js") await loadGrpcJs(needs.transport);
}

const told = new WeakSet<Logger>();

/** The transport that was asked for, or that the options need. */
export function chooseTransport(
  asked: GrpcTransport | undefined,
  options: ChannelOptions,
  logger: Logger | undefined,
): GrpcTransport {
  if (asked === "grpc-js") return asked;
  const option = unknownOption(options);
  if (option === undefined) return "goplug";
  if (logger !== undefined && !told.has(logger)) {
    told.add(logger);
    logger.info("gRPC goes over grpc-js's own transport: only that understands an option", { option });
  }
  return "grpc-js";
}
