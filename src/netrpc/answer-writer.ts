import { type AnySchema, Encoder, type EncoderOptions, emptyStruct } from "../gob/index.js";
import type { ByteChannel } from "./channel.js";
import { answerText, errorBytes, response } from "./messages.js";
import type { ReadGate } from "./read-gate.js";
import type { IncomingCall } from "./request-reader.js";
import type { ServerLogger } from "./server-options.js";

/** Bytes of encoded answers that are written at once instead of at the end of the turn: bounds what piles up. */
const FLUSH_AT = 65_536;

/** What a writer tells its connection. */
export interface AnswerWriterEvents {
  /** What was answered in a turn of the event loop has been written. */
  onWritten(): void;
}

/** The sending half of a server's connection: encodes answers, and writes those of one turn of the event loop in one piece. */
export class AnswerWriter {
  readonly #channel: ByteChannel;
  readonly #encoder: Encoder;
  readonly #gate: ReadGate;
  readonly #logger: ServerLogger | undefined;
  readonly #events: AnswerWriterEvents;
  #isScheduled = false;
  #isStopped = false;

  /** @param gate told of the calls that are answered, and of what waits for the channel */
  constructor(
    channel: ByteChannel,
    options: EncoderOptions,
    gate: ReadGate,
    logger: ServerLogger | undefined,
    events: AnswerWriterEvents,
  ) {
    this.#channel = channel;
    this.#encoder = new Encoder(options);
    this.#gate = gate;
    this.#logger = logger;
    this.#events = events;
  }

  answer(call: IncomingCall, schema: AnySchema, reply: unknown): void {
    this.#answer(call, "", schema, reply);
  }

  /** @param text not empty: that would be success on the wire */
  answerError(call: IncomingCall, text: string): void {
    this.#answer(call, text, emptyStruct, {});
  }

  /** Writes what was answered. */
  flush(): void {
    if (this.#encoder.pending === 0 || this.#isStopped) return;
    const bytes = this.#encoder.take();
    this.#gate.worked(bytes.length);
    let isTaken: boolean;
    try {
      isTaken = this.#channel.write(bytes, () => this.#encoder.giveBack(bytes));
    } catch (error) {
      // The connection is over, and could not say so yet because this side has stopped reading. These bytes are lost.
      this.#gate.stalled();
      this.#channel.destroy(error as Error);
      return;
    }
    this.#gate.wrote(bytes.length, isTaken);
  }

  /** Nothing more is written. */
  stop(): void {
    this.#isStopped = true;
  }

  #answer(call: IncomingCall, error: string, schema: AnySchema, reply: unknown): void {
    if (this.#isStopped) return;
    const { serviceMethod, seq } = call;
    const checkpoint = this.#encoder.checkpoint();
    try {
      const header = { ServiceMethod: serviceMethod, Seq: seq, Error: error === "" ? "" : errorBytes(error) };
      this.#encoder.encode(response, header);
      this.#encoder.encode(schema, reply as never);
    } catch (reason) {
      // Go ends the connection here; the caller gets the reason instead, and the other calls go on.
      this.#encoder.rollback(checkpoint);
      this.#logger?.warn("rpc: reply does not fit its schema", { method: serviceMethod, error: reason });
      this.answerError(call, answerText(reason));
      return;
    }
    this.#gate.answered(call.cost);
    if (this.#encoder.pending >= FLUSH_AT) this.flush();
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    // After the microtasks that answer more calls.
    process.nextTick(this.#endOfTurn);
  }

  readonly #endOfTurn = (): void => {
    this.#isScheduled = false;
    this.flush();
    this.#events.onWritten();
  };
}
