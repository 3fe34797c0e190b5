import { EventEmitter } from "node:events";
import type { ConnectionOptions } from "node:tls";
import type { ChannelOptions } from "@grpc/grpc-js";
import type { CallObserver } from "../diagnostics.js";
import { AbortedError } from "../errors.js";
import type { Logger } from "../hclog/logger.js";
import { type SocketAddress, socketTarget } from "../socket/address.js";
import type { OpenSocket } from "../socket/open.js";
import type { WaitOptions } from "../wait.js";
import { patientConfig } from "../yamux/config.js";
import { dial, type Session } from "../yamux/index.js";
import { GRPCBroker } from "./broker.js";
import { BrokerStream } from "./broker-stream.js";
import { unary } from "./call.js";
import type { Calls } from "./calls.js";
import { connectGrpc, type GrpcConnection, type GrpcTransport, type OpenConnection } from "./connection.js";
import { GrpcConnectError, GrpcError } from "./errors.js";
import type { ExplainLoss } from "./explained-channel.js";
import { HealthCheckResponse_ServingStatus as Serving } from "./gen/grpc/health/v1/health.js";
import type { ConnInfo } from "./gen/plugin/grpc_broker.js";
import { healthName } from "./health-service.js";
import { openStream } from "./message-stream.js";
import { Muxer } from "./muxer.js";
import { brokerMethods, controllerMethods, healthMethods } from "./own-services.js";
import { GrpcStatus } from "./status.js";
import { copyStdio, type SyncWriters } from "./stdio-client.js";
import { serverRole } from "./tls-roles.js";

export interface HostEndOptions {
  readonly address: SocketAddress;
  readonly tls: ConnectionOptions | undefined;
  /** The TLS is AutoMTLS: brokered servers accept the plugin alone. */
  readonly autoMTLS: boolean;
  /** Brokered connections are streams of the main one. */
  readonly multiplex: boolean;
  /** Either side may stand still at a breakpoint: nothing has a limit of its own. */
  readonly debug: boolean;
  readonly channelOptions: ChannelOptions | undefined;
  readonly transport: GrpcTransport | undefined;
  readonly sync: SyncWriters;
  readonly logger: Logger;
  /** Counts the calls. */
  readonly observer?: CallObserver | undefined;
  /** Opens a socket that the plugin can dial. */
  readonly listen: () => Promise<OpenSocket>;
  /** Finds the cause of the errors of calls that the loss of a connection has ended. */
  readonly explainLoss: ExplainLoss;
  readonly fromPlugin: ((address: SocketAddress) => SocketAddress) | undefined;
  readonly toPlugin: ((address: SocketAddress) => SocketAddress) | undefined;
}

/** The host's end of a gRPC connection to a plugin, with what goes along: broker, synced output, control. */
export interface HostEnd {
  readonly conn: GrpcConnection;
  readonly broker: GRPCBroker;
  /** Resolves when the plugin's output has ended. */
  readonly synced: Promise<void>;
  /** @throws GrpcError, also when the plugin says that it does not serve */
  ping(wait: WaitOptions): Promise<void>;
  /**
   * Asks the plugin to end. A plugin that ends so fast that its answer is lost has understood (go-plugin's Go servers
   * do); one that has no such service rejects.
   * @throws GrpcError
   */
  shutdown(wait: WaitOptions): Promise<void>;
  close(): Promise<void>;
}

/** @throws GrpcConnectError, AbortedError */
export async function openHostEnd(options: HostEndOptions, signal: AbortSignal): Promise<HostEnd> {
  const { logger, tls } = options;
  const muxer = options.multiplex ? new Muxer(await connectForMuxer(options, signal), logger) : undefined;
  let conn: OpenConnection;
  try {
    conn = await connectMain(options, muxer, signal);
  } catch (error) {
    await muxer?.close();
    throw error;
  }
  const { calls } = conn;
  const stream = new BrokerStream();
  const broker = new GRPCBroker({
    stream,
    logger,
    listen: options.listen,
    ...(tls !== undefined && {
      tls: { client: tls, server: () => serverRole(tls, options.autoMTLS) },
    }),
    channelOptions: options.channelOptions,
    transport: options.transport,
    explainLoss: options.explainLoss,
    observer: options.observer,
    ...(muxer !== undefined && { muxer: () => muxer }),
    timeout: options.debug ? Infinity : undefined,
    fromOther: options.fromPlugin,
    toOther: options.toPlugin,
  });
  const brokerCall = startBroker(calls, stream, broker, logger);
  const synced = copyStdio(calls, options.sync, logger);
  return {
    conn,
    broker,
    synced,
    async ping(wait) {
      const answer = await unary(calls, healthMethods.check, { service: healthName }, wait);
      if (answer.status === Serving.SERVING) return;
      throw new GrpcError(GrpcStatus.UNAVAILABLE, "the plugin does not serve", { what: "ping" });
    },
    async shutdown(wait) {
      broker.close();
      try {
        await unary(calls, controllerMethods.shutdown, {}, wait);
      } catch (error) {
        const gone = error instanceof GrpcError && lostAnswer.has(error.status);
        if (!gone) throw error;
      }
    },
    async close() {
      broker.close();
      brokerCall.cancel();
      conn.close();
      await muxer?.close();
    },
  };
}

/** How a call fails whose server ends before it has answered. */
const lostAnswer: ReadonlySet<number> = new Set([
  GrpcStatus.UNAVAILABLE,
  GrpcStatus.CANCELLED,
  GrpcStatus.INTERNAL,
]);

function connectMain(
  { address, tls, channelOptions, transport, explainLoss, observer, logger }: HostEndOptions,
  muxer: Muxer | undefined,
  signal: AbortSignal,
): Promise<OpenConnection> {
  const way =
    muxer === undefined
      ? address
      : {
          open: (cut: AbortSignal | undefined) => muxer.open(cut),
          describe: `${address.network} ${address.address}, multiplexed`,
        };
  return connectGrpc(way, {
    tls,
    options: channelOptions,
    transport,
    logger,
    signal,
    explainLoss,
    observer,
    redial: true,
  });
}

function startBroker(
  calls: Calls,
  stream: BrokerStream,
  broker: GRPCBroker,
  logger: Logger,
): { cancel(): void } {
  const events = new EventEmitter();
  const call = openStream(calls, brokerMethods.startStream, {
    onBegin: (begun) => begun.read(),
    onMessage(message) {
      call.read();
      events.emit("data", message);
    },
    onEnd({ code, details, cause }) {
      events.emit("close");
      if (code === GrpcStatus.OK) {
        broker.close();
        return;
      }
      const error = new GrpcError(code, details, { what: "the broker's stream", cause });
      if (code === GrpcStatus.UNIMPLEMENTED) {
        logger.warn("broker service not available, brokered connections unavailable");
      } else logger.debug("broker stream ended", { error });
      broker.close(error);
    },
  });
  const sending = { write: (message: ConnInfo) => call.send(message), end: () => call.halfClose() };
  stream.attach(Object.assign(events, sending));
  return call;
}

async function connectForMuxer({ address, debug }: HostEndOptions, signal: AbortSignal): Promise<Session> {
  try {
    return await dial({ ...(debug && patientConfig), ...socketTarget(address), signal });
  } catch (error) {
    if (error instanceof AbortedError) throw error;
    // The socket's own error, where it is that which failed.
    const cause = ((error as Error).cause ?? error) as Error;
    throw new GrpcConnectError(
      `cannot connect to ${address.network} ${address.address}: ${cause.message}`,
      cause,
    );
  }
}
