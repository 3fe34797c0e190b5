import { headOf } from "./call-settings.js";
import type { Calls, EndStatus, OngoingCall } from "./calls.js";
import type { Method } from "./method.js";
import { GrpcStatus } from "./status.js";

/** What a stream of goplug's own tells. */
export interface StreamListener<A> {
  /** Messages can be asked for from now on. */
  onBegin(stream: MessageStream): void;
  /** One that was asked for, or any when the status is there. */
  onMessage(message: A): void;
  /** Once and last. */
  onEnd(status: EndStatus): void;
}

/** One of goplug's own calls that is a stream of messages. */
export interface MessageStream<Q = unknown> {
  /** Sends a message; before the stream has begun it waits for that. */
  send(message: Q): void;
  /** There are no further messages of this side. */
  halfClose(): void;
  /** Asks for one more message. */
  read(): void;
  /** Ends the call. */
  cancel(): void;
}

/** Opens a stream. */
export function openStream<Q, A>(
  calls: Calls,
  { path, requestSerialize, responseDeserialize }: Method<Q, A>,
  listener: StreamListener<A>,
): MessageStream<Q> {
  let call: OngoingCall | undefined;
  let waiting: (() => void)[] = [];
  const whenBegun = (ask: (call: OngoingCall) => void): void => {
    if (call === undefined) waiting.push(() => ask(call!));
    else ask(call);
  };
  const stream: MessageStream<Q> = {
    send: (message) => whenBegun((begun) => void begun.send(requestSerialize(message))),
    halfClose: () => whenBegun((begun) => begun.halfClose()),
    read: () => whenBegun((begun) => begun.read()),
    cancel: () => started.cancel(GrpcStatus.CANCELLED, "Cancelled on client"),
  };
  const started = calls.start(headOf(path, {}), {
    onBegin(begun) {
      call = begun;
      for (const ask of waiting) ask();
      waiting = [];
      listener.onBegin(stream as MessageStream);
    },
    onHeaders() {},
    onMessage(bytes) {
      let message: A;
      try {
        message = responseDeserialize(bytes);
      } catch (error) {
        const details = `Response message parsing error: ${(error as Error).message}`;
        call!.cancel(GrpcStatus.INTERNAL, details);
        return;
      }
      listener.onMessage(message);
    },
    onStatus: (status) => listener.onEnd(status),
  });
  return stream;
}
