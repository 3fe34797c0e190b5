import type { ConnectionOptions } from "node:tls";
import type { ChannelCredentials, ChannelOptions, ClientOptions } from "@grpc/grpc-js";
import type { CallObserver } from "../diagnostics.js";
import type { Logger } from "../hclog/logger.js";
import type { SocketAddress } from "../socket/address.js";
import type { Channel as YamuxChannel } from "../yamux/index.js";
import type { Calls } from "./calls.js";
import type { ExplainLoss } from "./explained-channel.js";
import type { GrpcChannel } from "./grpc-js-types.js";
import type { ProtobufClient } from "./protobuf-client.js";
import type { ProtobufRuntime, ServiceDescriptor } from "./protobuf-service.js";

/** A client class as the generators for grpc-js make them, and grpc-js's own loadPackageDefinition. */
export type ClientClass<T> = new (
  address: string,
  credentials: ChannelCredentials,
  // biome-ignore lint/suspicious/noExplicitAny: the generators disagree on the type of the options
  options?: any,
) => T;

/** A gRPC connection to the other side: the plugin's main one, or one that the broker dialled. */
export interface GrpcConnection extends AsyncDisposable {
  /** The one channel that all clients of this connection share. */
  readonly channel: GrpcChannel;
  /**
   * Makes a generated client on this connection (ts-proto, grpc-tools, proto-loader). It must not be closed: that
   * would close the connection under all others.
   */
  client<T>(clientClass: ClientClass<T>, options?: ClientOptions): T;
  /**
   * Makes a typed client of a service that protobuf-es generated. The runtime is the module `@bufbuild/protobuf` that
   * the generated code uses.
   */
  protobuf<S extends ServiceDescriptor>(service: S, runtime: ProtobufRuntime): ProtobufClient<S>;
  /** Resolves when the connection was lost or closed for the first time. */
  readonly closed: Promise<void>;
  /** Ends the connection; calls that are running fail. */
  close(): void;
}

/** A connection as goplug itself sees it. */
export interface OpenConnection extends GrpcConnection {
  /** What calls are made with that grpc-js's clients do not make. */
  readonly calls: Calls;
}

/** Who speaks HTTP/2 under grpc-js's API: goplug itself, or grpc-js over Node's http2. */
export type GrpcTransport = "goplug" | "grpc-js";

/** How to reach the other side: at an address, or by a stream of a multiplexed connection. */
export type Way =
  | SocketAddress
  | {
      readonly open: (signal: AbortSignal | undefined) => Promise<YamuxChannel>;
      /** For messages. */
      readonly describe: string;
    };

export interface ConnectOptions {
  /** Default: "goplug", unless there is an option that only grpc-js understands. */
  readonly transport?: GrpcTransport | undefined;
  /** Is told when an option has decided on the transport. */
  readonly logger?: Logger | undefined;
  /** Whether to connect again, at the next call, when the other side has ended the connection. Default: false. */
  readonly redial?: boolean | undefined;
  readonly tls?: ConnectionOptions | undefined;
  /** On top of goplug's own. */
  readonly options?: ChannelOptions | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Counts the calls. */
  readonly observer?: CallObserver | undefined;
  /** Finds the cause of the errors of calls that the loss of the connection has ended. */
  readonly explainLoss?: ExplainLoss | undefined;
  /** Called once, when the connection has closed or could not be made. */
  readonly onClosed?: (() => void) | undefined;
}
