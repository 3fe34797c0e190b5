import type { ClientOptions, Deadline } from "@grpc/grpc-js";
import { startTimer } from "../../wait.js";
import type { CallHead, ParentCall } from "../calls.js";
import { deadlineTime } from "../propagation.js";
import type { CallHost } from "./outgoing-call.js";
import { type Call, OwnCall } from "./own-call.js";

type Channel = NonNullable<ClientOptions["channelOverride"]>;

/** A channel of grpc-js's clients on goplug's transport: their `channelOverride`. */
export class OwnChannel implements Channel {
  readonly #host: CallHost;
  readonly #target: string;

  constructor(host: CallHost, target: string) {
    this.#host = host;
    this.#target = target;
  }

  close(): void {
    this.#host.transport.close();
  }

  getTarget(): string {
    return this.#target;
  }

  getConnectivityState(tryToConnect: boolean): ReturnType<Channel["getConnectivityState"]> {
    const { transport } = this.#host;
    if (tryToConnect && transport.state === "idle") {
      const session = transport.session();
      if (!("open" in session)) session.catch(() => {});
    }
    return states[transport.state];
  }

  watchConnectivityState(
    currentState: number,
    deadline: Date | number,
    callback: (error?: Error) => void,
  ): void {
    const { transport } = this.#host;
    if (states[transport.state] !== currentState) {
      process.nextTick(callback);
      return;
    }
    const settle = (error?: Error): void => {
      stopTimer();
      release();
      process.nextTick(callback, error);
    };
    const release = transport.watch(() => settle());
    const onLate = (): void => settle(new Error("Deadline passed without connectivity state change"));
    const stopTimer = startTimer(Math.max(0, deadlineTime(deadline) - Date.now()), onLate, false);
  }

  getChannelzRef(): ReturnType<Channel["getChannelzRef"]> {
    // Channelz is off.
    return { kind: "channel", id: -1, name: this.#target } as ReturnType<Channel["getChannelzRef"]>;
  }

  createCall(
    method: string,
    deadline: Deadline,
    host: string | null | undefined,
    parentCall: Parameters<Channel["createCall"]>[3],
    propagateFlags: number | null | undefined,
  ): Call {
    if (this.#host.transport.state === "shutdown") throw new Error("Channel has been shut down");
    const head: CallHead = {
      path: method,
      deadline: deadlineTime(deadline),
      host: host ?? undefined,
      parent: (parentCall ?? undefined) as ParentCall | undefined,
      propagateFlags: propagateFlags ?? undefined,
    };
    return new OwnCall(this.#host, head) as unknown as Call;
  }
}

// grpc-js's enumeration, which has no form that loads without the rest of it.
const states = { idle: 0, connecting: 1, ready: 2, shutdown: 4 } as const;
