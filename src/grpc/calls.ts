import type { EventEmitter } from "node:events";
import type { CallCredentials } from "@grpc/grpc-js";
import type { MetadataInit } from "./metadata.js";
import type { CallListener } from "./transport/client-call.js";
import type { CallStatus } from "./transport/status.js";

/** A call before its messages. */
export interface CallHead {
  /** `/package.Service/Method`. */
  readonly path: string;
  /** When it ends, in milliseconds since the epoch; Infinity for never. */
  readonly deadline: number;
  readonly metadata?: MetadataInit | undefined;
  readonly credentials?: CallCredentials | undefined;
  /** The `:authority`, where it is another than the connection's. */
  readonly host?: string | undefined;
  /** The handler's call that this one is made for: it ends when that does. */
  readonly parent?: ParentCall | undefined;
  /** grpc-js's flags of what comes from the parent; default: deadline and cancellation. */
  readonly propagateFlags?: number | undefined;
}

/** A call of a server, as far as calls that are made for it have to do with it. */
export interface ParentCall extends Pick<EventEmitter, "on" | "off"> {
  getDeadline(): Date | number;
}

/** How a call ended; the cause is that of the loss of the connection, where it is known. */
export interface EndStatus extends CallStatus {
  readonly cause?: Error | undefined;
}

/** What a call tells. Its messages come as they are asked for, and all others before the status. */
export interface OngoingListener extends CallListener {
  /** Messages can be sent and asked for from now on; perhaps before `start` has returned. */
  onBegin(call: OngoingCall): void;
  /** Once and last; not before `start` has returned. */
  onStatus(status: EndStatus): void;
}

/** A call under way. */
export interface OngoingCall {
  /** Sends a message, which may be kept by reference until it is sent; false asks to wait for onDrain. */
  send(message: Buffer): boolean;
  /** There are no further messages. */
  halfClose(): void;
  /** Asks for one more message. */
  read(): void;
  /** Ends the call at once, with this status. */
  cancel(code: number, details: string): void;
}

/** What makes calls: a connection, over whichever transport. */
export interface Calls {
  start(head: CallHead, listener: OngoingListener): OngoingCall;
}
