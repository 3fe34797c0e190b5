import type { Channel, ChannelOptions, ClientOptions } from "@grpc/grpc-js";
import { AbortedError } from "../errors.js";
import type { SocketAddress } from "../socket/address.js";
import { waitFor } from "../wait.js";
import { bridge } from "./bridge.js";
import type { Calls } from "./calls.js";
import { channelSecurity } from "./credentials.js";
import { GrpcConnectError } from "./errors.js";
import { explainedChannel } from "./explained-channel.js";
import type { ClientClass, ConnectOptions, OpenConnection, Way } from "./grpc-connection.js";
import { grpcJsCalls } from "./grpc-js-calls.js";
import type { GrpcJs } from "./load-grpc-js.js";
import { type ProtobufClient, protobufClient } from "./protobuf-client.js";
import type { ProtobufRuntime, ServiceDescriptor } from "./protobuf-service.js";
import { targetOf } from "./target.js";

/**
 * Connects over grpc-js's own transport, and waits until the channel stands. Its channels dial addresses alone: a
 * stream goes through a private socket.
 * @throws GrpcConnectError, AbortedError
 */
export async function connectGrpcJs(
  grpcJs: GrpcJs,
  way: Way,
  channelOptions: ChannelOptions,
  connect: ConnectOptions,
): Promise<OpenConnection> {
  if ("network" in way) return connectAddress(grpcJs, way, channelOptions, connect);
  const bridged = await bridge((await way.open(connect.signal)).toDuplex());
  return connectAddress(grpcJs, bridged.address, channelOptions, {
    ...connect,
    onClosed() {
      bridged.close();
      connect.onClosed?.();
    },
  });
}

async function connectAddress(
  grpcJs: GrpcJs,
  address: SocketAddress,
  channelOptions: ChannelOptions,
  connect: ConnectOptions,
): Promise<OpenConnection> {
  const security = channelSecurity(grpcJs, connect.tls);
  const options = { ...channelOptions, ...security.options, ...connect.options };
  const { explainLoss = async () => undefined, observer } = connect;
  const channel = explainedChannel(grpcJs, targetOf(address), security.credentials, options, {
    explainLoss,
    observer,
  });
  const connection = new Connection(grpcJs, channel, connect.onClosed);
  try {
    await ready(grpcJs, channel, connect.signal);
  } catch (error) {
    const reason = error instanceof AbortedError ? error : await failure(grpcJs, connection, address);
    connection.close();
    throw reason;
  }
  connection.watch();
  return connection;
}

class Connection implements OpenConnection {
  readonly channel: Channel;
  readonly calls: Calls;
  readonly closed: Promise<void>;
  readonly #grpcJs: GrpcJs;
  #markClosed!: () => void;
  #onClosed: (() => void) | undefined;

  constructor(grpcJs: GrpcJs, channel: Channel, onClosed: (() => void) | undefined) {
    this.channel = channel;
    this.calls = grpcJsCalls(grpcJs, channel);
    this.#grpcJs = grpcJs;
    this.#onClosed = onClosed;
    this.closed = new Promise((resolve) => {
      this.#markClosed = resolve;
    });
  }

  watch(): void {
    const { channel } = this;
    const { READY } = this.#grpcJs.connectivityState;
    if (channel.getConnectivityState(false) !== READY) this.#lost();
    else channel.watchConnectivityState(READY, Infinity, () => this.#lost());
  }

  client<T>(clientClass: ClientClass<T>, options: ClientOptions = {}): T {
    return new clientClass("unused", this.#grpcJs.ChannelCredentials.createInsecure(), {
      ...options,
      channelOverride: this.channel,
    });
  }

  protobuf<S extends ServiceDescriptor>(service: S, runtime: ProtobufRuntime): ProtobufClient<S> {
    return protobufClient(this, service, runtime);
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

function ready(
  { connectivityState }: GrpcJs,
  channel: Channel,
  signal: AbortSignal | undefined,
): Promise<void> {
  return waitFor<void>({ signal, what: "the gRPC connection" }, (resolve, reject) => {
    const look = (): void => {
      const state = channel.getConnectivityState(true);
      if (state === connectivityState.READY) resolve();
      else if (state === connectivityState.TRANSIENT_FAILURE) reject(new Error("failed"));
      else if (state === connectivityState.SHUTDOWN) reject(new Error("closed"));
      else channel.watchConnectivityState(state, Infinity, look);
    };
    look();
  });
}

/** A channel says why it failed only to those who call on it. */
function failure(
  { Client }: GrpcJs,
  connection: Connection,
  { network, address }: SocketAddress,
): Promise<GrpcConnectError> {
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
