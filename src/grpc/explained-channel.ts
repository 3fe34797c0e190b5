import { setImmediate as turn } from "node:timers/promises";
import {
  Channel,
  type ChannelCredentials,
  type ChannelOptions,
  connectivityState,
  type InterceptingListener,
  type StatusObject,
  status,
} from "@grpc/grpc-js";
import type { CallObserver } from "../diagnostics.js";
import { observed } from "./observed-call.js";

/** Says what became of the other side of a lost connection, undefined if nothing is known. */
export type ExplainLoss = () => Promise<Error | undefined>;

type Call = ReturnType<Channel["createCall"]>;

/** How calls end whose connection breaks. */
const lost: ReadonlySet<number> = new Set([status.UNAVAILABLE, status.CANCELLED, status.INTERNAL]);

/**
 * A channel whose calls, when the loss of the connection has ended them, carry the reason as the `cause` of their error:
 * grpc-js copies what a status has to the error that its callers get.
 */
export class ExplainedChannel extends Channel {
  readonly #explain: ExplainLoss;
  readonly #observer: CallObserver | undefined;

  constructor(
    target: string,
    credentials: ChannelCredentials,
    options: ChannelOptions,
    explain: ExplainLoss,
    observer: CallObserver | undefined,
  ) {
    super(target, credentials, options);
    this.#explain = explain;
    this.#observer = observer;
  }

  override createCall(...given: Parameters<Channel["createCall"]>): Call {
    const call = super.createCall(...given);
    const start = call.start.bind(call);
    call.start = (metadata, listener) => start(metadata, this.#explaining(listener));
    return observed(call, given[0], this.#observer);
  }

  #explaining(listener: InterceptingListener): InterceptingListener {
    return {
      onReceiveMetadata: (metadata) => listener.onReceiveMetadata(metadata),
      onReceiveMessage: (message) => listener.onReceiveMessage(message),
      onReceiveStatus: (given) => {
        if (!lost.has(given.code)) listener.onReceiveStatus(given);
        else void this.#explained(given).then((explained) => listener.onReceiveStatus(explained));
      },
    };
  }

  async #explained(given: StatusObject): Promise<StatusObject> {
    // The channel learns of the loss in the same turn as its calls, but not always before them.
    await turn();
    if (this.getConnectivityState(false) === connectivityState.READY) return given;
    const cause = await this.#explain();
    return cause === undefined ? given : Object.assign({}, given, { cause });
  }
}
