import { Encoder, type EncoderOptions } from "../gob/index.js";
import type { ByteChannel } from "./channel.js";
import { request } from "./messages.js";
import type { PendingCall } from "./pending-call.js";
import { keptArgument } from "./unanswered.js";

/** Bytes of encoded calls that are written at once instead of at the end of the turn: bounds what piles up. */
const FLUSH_AT = 65_536;

/** What became of a call: `unproven` ones may only be sent once it is known that the peer has their method. */
export type Sent = "sent" | "failed" | "unproven";

/** The sending half of a client: numbers calls, encodes them, and writes those of one turn of the event loop in one piece. */
export class CallWriter {
  readonly #channel: ByteChannel;
  readonly #encoder: Encoder;
  readonly #failed: (error: Error) => void;
  #isBlocked = false;
  #isStopped = false;
  #isScheduled = false;
  #seq = 0;

  /** @param failed the channel takes nothing any more */
  constructor(channel: ByteChannel, options: EncoderOptions, failed: (error: Error) => void) {
    this.#channel = channel;
    this.#encoder = new Encoder(options);
    this.#failed = failed;
  }

  /** Whether the channel asked to wait, until {@link drained}. */
  get isBlocked(): boolean {
    return this.#isBlocked;
  }

  /** Calls sent so far: the number of the next. */
  get count(): number {
    return this.#seq;
  }

  /** Sends a call, with its number and size; one that cannot be encoded fails. */
  send(call: PendingCall, isProven: boolean): Sent {
    const encoder = this.#encoder;
    const checkpoint = encoder.checkpoint();
    const seq = this.#seq;
    const { nilInterfaces } = encoder;
    try {
      encoder.encode(request, { ServiceMethod: call.serviceMethod, Seq: seq });
      encoder.encode(call.argSchema, call.arg as never);
    } catch (error) {
      // Go leaves the header behind here, and the stream out of step; nothing of a failed call may stay.
      encoder.rollback(checkpoint);
      call.fail(error);
      return "failed";
    }
    if (!isProven && encoder.nilInterfaces !== nilInterfaces) {
      encoder.rollback(checkpoint);
      return "unproven";
    }
    call.requestBytes = encoder.pending - checkpoint.pending;
    this.#seq = seq + 1;
    call.seq = seq;
    call.arg = keptArgument(call.arg);
    return "sent";
  }

  /** Writes what was sent: now where that is much, else at the end of this turn. */
  schedule(): void {
    if (this.#encoder.pending >= FLUSH_AT) this.#flush();
    else if (!this.#isScheduled) {
      this.#isScheduled = true;
      // nextTick runs after the microtasks that make more calls.
      process.nextTick(this.#endOfTurn);
    }
  }

  drained(): void {
    this.#isBlocked = false;
  }

  /** Nothing more is written. */
  stop(): void {
    this.#isStopped = true;
  }

  readonly #endOfTurn = (): void => {
    this.#isScheduled = false;
    this.#flush();
  };

  #flush(): void {
    if (this.#encoder.pending === 0 || this.#isStopped) return;
    try {
      const bytes = this.#encoder.take();
      if (!this.#channel.write(bytes, () => this.#encoder.giveBack(bytes))) this.#isBlocked = true;
    } catch (error) {
      this.#failed(error as Error);
    }
  }
}
