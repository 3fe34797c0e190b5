import type { ConnectionOptions } from "node:tls";
import {
  type Channel,
  ChannelCredentials,
  type ChannelOptions,
  Client,
  type ClientOptions,
  connectivityState,
} from "@grpc/grpc-js";
import { AbortedError } from "../errors.js";
import { channelSecurity } from "./credentials.js";
import { GrpcConnectError } from "./errors.js";
import { ExplainedChannel, type ExplainLoss } from "./explained-channel.js";
import { type ProtobufClient, protobufClient } from "./protobuf-client.js";
import type { ProtobufRuntime, ServiceDescriptor } from "./protobuf-service.js";
import { defaultChannelOptions, type GrpcAddress, targetOf } from "./target.js";

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
  readonly channel: Channel;
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

export interface ConnectOptions {
  readonly tls?: ConnectionOptions | undefined;
  /** On top of goplug's own. */
  readonly options?: ChannelOptions | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Finds the cause of the errors of calls that the loss of the connection has ended. */
  readonly explainLoss?: ExplainLoss | undefined;
  /** Called once, when the connection has closed or could not be made. */
  readonly onClosed?: (() => void) | undefined;
}

/**
 * Connects a channel and waits until it stands. Unlike a bare channel it does not try again when the first attempt
 * fails: nobody but the plugin can ever listen there.
 * @throws GrpcConnectError, AbortedError
 */
export async function connectGrpc(
  address: GrpcAddress,
  connect: ConnectOptions = {},
): Promise<GrpcConnection> {
  const security = channelSecurity(connect.tls);
  const options = { ...defaultChannelOptions, ...security.options, ...connect.options };
  const { explainLoss = async () => undefined } = connect;
  const channel = new ExplainedChannel(targetOf(address), security.credentials, options, explainLoss);
  const connection = new Connection(channel, connect.onClosed);
  try {
    await ready(channel, connect.signal);
  } catch (error) {
    const reason = error instanceof AbortedError ? error : await failure(connection, address);
    connection.close();
    throw reason;
  }
  connection.watch();
  return connection;
}

class Connection implements GrpcConnection {
  readonly channel: Channel;
  readonly closed: Promise<void>;
  #markClosed!: () => void;
  #onClosed: (() => void) | undefined;

  constructor(channel: Channel, onClosed: (() => void) | undefined) {
    this.channel = channel;
    this.#onClosed = onClosed;
    this.closed = new Promise((resolve) => {
      this.#markClosed = resolve;
    });
  }

  watch(): void {
    const { channel } = this;
    if (channel.getConnectivityState(false) !== connectivityState.READY) this.#lost();
    else channel.watchConnectivityState(connectivityState.READY, Infinity, () => this.#lost());
  }

  client<T>(clientClass: ClientClass<T>, options: ClientOptions = {}): T {
    return new clientClass("unused", ChannelCredentials.createInsecure(), {
      ...options,
      channelOverride: this.channel,
    });
  }

  protobuf<S extends ServiceDescriptor>(service: S, runtime: ProtobufRuntime): ProtobufClient<S> {
    return protobufClient(this.client(Client), service, runtime);
  }

  close(): void {
    this.channel.close();
    this.#lost();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  #lost(): void {
    this.#markClosed();
    this.#onClosed?.();
    this.#onClosed = undefined;
  }
}

function ready(channel: Channel, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(new AbortedError("the gRPC connection", signal?.reason));
    if (signal?.aborted) {
      onAbort();
      return;
    }
    signal?.addEventListener("abort", onAbort, { once: true });
    const look = (): void => {
      const state = channel.getConnectivityState(true);
      if (state === connectivityState.READY) resolve();
      else if (state === connectivityState.TRANSIENT_FAILURE) reject(new Error("failed"));
      else if (state === connectivityState.SHUTDOWN) reject(new Error("closed"));
      else {
        channel.watchConnectivityState(state, Infinity, look);
        return;
      }
      signal?.removeEventListener("abort", onAbort);
    };
    look();
  });
}

/** A channel says why it failed only to those who call on it. */
function failure(connection: Connection, { network, address }: GrpcAddress): Promise<GrpcConnectError> {
  return new Promise((resolve) => {
    const client = connection.client(Client);
    const nothing = (): Buffer => Buffer.alloc(0);
    const options = { deadline: Date.now() + 1000 };
    client.makeUnaryRequest("/goplug.Nobody/Calls", nothing, nothing, undefined, options, (error) => {
      const details = error?.details ?? "the connection failed";
      resolve(
        new GrpcConnectError(`cannot connect to ${network} ${address}: ${details}`, error ?? undefined),
      );
    });
  });
}
