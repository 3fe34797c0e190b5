import { setImmediate as turn } from "node:timers/promises";
import type {
  Channel,
  ChannelCredentials,
  ChannelOptions,
  InterceptingListener,
  StatusObject,
} from "@grpc/grpc-js";
import type { CallObserver } from "../diagnostics.js";
import type { GrpcJs } from "./load-grpc-js.js";
import { observed } from "./observed-call.js";
import { GrpcStatus } from "./status.js";

/** Says what became of the other side of a lost connection, undefined if nothing is known. */
export type ExplainLoss = () => Promise<Error | undefined>;

type Call = ReturnType<Channel["createCall"]>;

/** How calls end whose connection breaks. */
const lost: ReadonlySet<number> = new Set([
  GrpcStatus.UNAVAILABLE,
  GrpcStatus.CANCELLED,
  GrpcStatus.INTERNAL,
]);

/** What a channel needs to explain the loss of its connection. */
export interface Explaining {
  readonly explainLoss: ExplainLoss;
  readonly observer: CallObserver | undefined;
}

/**
 * A channel whose calls, when the loss of the connection has ended them, carry the reason as the `cause` of their error:
 * grpc-js copies what a status has to the error that its callers get.
 */
export function explainedChannel(
  { Channel, connectivityState }: GrpcJs,
  target: string,
  credentials: ChannelCredentials,
  options: ChannelOptions,
  { explainLoss, observer }: Explaining,
): Channel {
  const channel = new Channel(target, credentials, options);
  const createCall = channel.createCall.bind(channel);
  const close = channel.close.bind(channel);
  const running = new Set<Call>();

  const explain = async (given: StatusObject): Promise<StatusObject> => {
    // The channel learns of the loss in the same turn as its calls, but not always before them.
    await turn();
    if (channel.getConnectivityState(false) === connectivityState.READY) return given;
    const cause = await explainLoss();
    return cause === undefined ? given : Object.assign({}, given, { cause });
  };

  const explaining = (call: Call, listener: InterceptingListener): InterceptingListener => ({
    onReceiveMetadata: (metadata) => listener.onReceiveMetadata(metadata),
    onReceiveMessage: (message) => listener.onReceiveMessage(message),
    onReceiveStatus(given) {
      running.delete(call);
      if (!lost.has(given.code)) listener.onReceiveStatus(given);
      else void explain(given).then((explained) => listener.onReceiveStatus(explained));
    },
  });

  channel.createCall = (...given): Call => {
    const call = createCall(...given);
    const start = call.start.bind(call);
    call.start = (metadata, listener) => {
      running.add(call);
      start(metadata, explaining(call, listener));
    };
    return observed(call, given[0], observer);
  };
  channel.close = () => {
    close();
    // grpc-js leaves them to the connection, and Node's http2 does not always notice the end of one over TLS.
    for (const call of running) call.cancelWithStatus(GrpcStatus.UNAVAILABLE, "the connection is closed");
  };
  return channel;
}
