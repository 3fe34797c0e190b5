import type { Socket } from "node:net";
import type { ChannelOptions, ClientOptions } from "@grpc/grpc-js";
import { channelConnection } from "../http2/index.js";
import type { SocketAddress } from "../socket/address.js";
import type { CallHead, Calls, OngoingListener } from "./calls.js";
import type { ClientClass, ConnectOptions, OpenConnection, Way } from "./grpc-connection.js";
import type { GrpcChannel } from "./grpc-js-types.js";
import { type ProtobufClient, protobufClient } from "./protobuf-client.js";
import type { ProtobufRuntime, ServiceDescriptor } from "./protobuf-service.js";
import { targetOf } from "./target.js";
import { makeDirect } from "./transport/direct-client.js";
import { clientOptions } from "./transport/options.js";
import { type CallHost, OutgoingCall } from "./transport/outgoing-call.js";
import { OwnChannel } from "./transport/own-channel.js";
import { type Dial, dialAddress, secured, Transport } from "./transport/transport.js";

/** Connects over goplug's own transport. @throws GrpcConnectError, AbortedError */
export async function connectOwn(
  way: Way,
  channelOptions: ChannelOptions,
  connect: ConnectOptions,
): Promise<OpenConnection> {
  const { tls, signal } = connect;
  const options = clientOptions(channelOptions);
  const described = describe(way);
  const transport = await Transport.connect(
    {
      dial: "network" in way ? dialAddress(way, tls) : dialStream(way.open, tls),
      redial: connect.redial === true,
      describe: described.text,
      session: options.session,
    },
    signal,
  ).catch((error: unknown) => {
    connect.onClosed?.();
    throw error;
  });
  const host: CallHost = {
    transport,
    options,
    authority: options.authority ?? tls?.servername ?? described.authority,
    scheme: tls === undefined ? "http" : "https",
    peer: described.peer,
    observer: connect.observer,
    explain: async () => (transport.state === "ready" ? undefined : connect.explainLoss?.()),
  };
  return new OwnConnection(host, described.target, connect.onClosed);
}

class OwnConnection implements OpenConnection {
  readonly closed: Promise<void>;
  readonly calls: Calls;
  readonly #host: CallHost;
  readonly #target: string;
  #channel: OwnChannel | undefined;
  #onClosed: (() => void) | undefined;
  #markClosed!: () => void;

  constructor(host: CallHost, target: string, onClosed: (() => void) | undefined) {
    this.#host = host;
    this.calls = {
      start: (head: CallHead, listener: OngoingListener) => OutgoingCall.start(host, head, listener),
    };
    this.#target = target;
    this.#onClosed = onClosed;
    this.closed = new Promise((resolve) => {
      this.#markClosed = resolve;
    });
    const { transport } = host;
    const release = transport.watch(() => {
      release();
      this.#lost();
    });
    if (transport.state !== "ready") this.#lost();
  }

  get channel(): GrpcChannel {
    this.#channel ??= new OwnChannel(this.#host, this.#target);
    return this.#channel;
  }

  client<T>(clientClass: ClientClass<T>, options: ClientOptions = {}): T {
    // With a channel of its own a client looks at neither address nor credentials.
    const own = { ...options, channelOverride: this.channel };
    return makeDirect(new clientClass("unused", undefined as never, own), this.#host, options);
  }

  protobuf<S extends ServiceDescriptor>(service: S, runtime: ProtobufRuntime): ProtobufClient<S> {
    return protobufClient(this, service, runtime);
  }

  close(): void {
    this.#host.transport.close();
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

/** Dials a stream of a multiplexed connection: directly, or with TLS on it. */
function dialStream(open: Extract<Way, { describe: string }>["open"], tls: ConnectOptions["tls"]): Dial {
  return async (signal) => {
    const channel = await open(signal);
    // Node shakes hands on any Duplex; only the types say Socket.
    if (tls !== undefined) return secured({ socket: channel.toDuplex() as unknown as Socket }, tls, signal);
    return { connection: channelConnection(channel) };
  };
}

interface Described {
  readonly text: string;
  readonly target: string;
  readonly peer: string;
  readonly authority: string;
}

function describe(way: Way): Described {
  if (!("network" in way)) {
    return { text: way.describe, target: way.describe, peer: "unknown", authority: "localhost" };
  }
  const { network, address } = way;
  return {
    text: `${network} ${address}`,
    target: targetOf(way),
    peer: address,
    authority: authorityOf(way),
  };
}

/** The authority that grpc-js and grpc-go give a call: a host and port, or localhost for a unix socket. */
function authorityOf({ network, address }: SocketAddress): string {
  if (network === "unix") return "localhost";
  return address.startsWith(":") ? `localhost${address}` : address;
}
