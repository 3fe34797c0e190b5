import { Decoder, type DecoderOptions, NEED_MORE } from "../gob/index.js";
import { BadReplyError } from "./errors.js";
import { errorText, receivedResponse } from "./messages.js";
import type { PendingCall } from "./pending-call.js";

/** What a reader asks of its client. */
export interface AnswerEvents {
  /** The call is answered; undefined for one that nobody waits for. */
  find(seq: number): PendingCall | undefined;
  settled(seq: number): void;
  /** The error of a call that the peer refused with this text. */
  refusal(text: string, serviceMethod: string): Error;
  /** The stream makes no sense any more. */
  failed(cause: unknown): void;
}

/** The receiving half of a client: decodes answers and settles their calls. */
export class AnswerReader {
  readonly #decoder: Decoder;
  readonly #events: AnswerEvents;
  #isStopped = false;
  /** The header whose body is still to come. */
  #header: { readonly seq: number; readonly error: string } | undefined;
  /** Where the answer that is being read began in the stream. */
  #from = 0;

  constructor(options: DecoderOptions, events: AnswerEvents) {
    this.#decoder = new Decoder(options);
    this.#events = events;
  }

  /** Memory where the next bytes may be put. */
  room(): Buffer | undefined {
    return this.#decoder.room();
  }

  read(chunk: Buffer, mayKeep: boolean): void {
    if (this.#isStopped) return;
    this.#decoder.push(chunk, !mayKeep);
    while (!this.#isStopped && this.#readOne());
    if (!this.#isStopped) this.#decoder.settle();
  }

  /** Nothing more is read. */
  stop(): void {
    this.#isStopped = true;
  }

  /** The peer ended: the call whose answer it was in the middle of fails. */
  end(): void {
    if (this.#header !== undefined) this.#fail("unexpected EOF");
  }

  /** Takes one header or body out of the decoder; false when its bytes are not all there. */
  #readOne(): boolean {
    const header = this.#header;
    if (header === undefined) {
      try {
        this.#from = this.#decoder.consumed;
        const next = this.#decoder.decode(receivedResponse);
        if (next === NEED_MORE) return false;
        this.#header = { seq: next.Seq, error: errorText(next.Error) };
        return true;
      } catch (error) {
        this.#events.failed(error);
        return false;
      }
    }
    const call = this.#events.find(header.seq);
    try {
      if (call === undefined || header.error !== "") {
        // The error's empty struct is skipped too: its type definition comes once and must be remembered.
        if (this.#decoder.skip() === NEED_MORE) return false;
        call?.fail(this.#events.refusal(header.error, call.serviceMethod));
      } else {
        const reply = this.#decoder.decode(call.replySchema, call.into as never);
        if (reply === NEED_MORE) return false;
        call.replyBytes = this.#decoder.consumed - this.#from;
        call.succeed(reply);
      }
    } catch (error) {
      // The next message follows. If the decoder has lost it, so says the next header.
      this.#fail(error);
    }
    this.#events.settled(header.seq);
    this.#header = undefined;
    return true;
  }

  /** The call whose answer could not be read; a call that the peer refused keeps the peer's error (as in Go). */
  #fail(cause: unknown): void {
    const { seq, error } = this.#header!;
    const call = this.#events.find(seq);
    this.#events.settled(seq);
    call?.fail(
      error === ""
        ? new BadReplyError("reading body ", cause, call.serviceMethod)
        : this.#events.refusal(error, call.serviceMethod),
    );
  }
}
