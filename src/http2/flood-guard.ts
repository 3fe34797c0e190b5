import { Budget } from "./budget.js";
import { connectionError, ErrorCode } from "./errors.js";

// Frames that carry nothing for anybody: that many at once, and so many a second in the long run, as long as neither
// side sends anything else. A Go client sends a PING for each batch of DATA that it gets.
const BARREN_BURST = 10_000;
const BARREN_PER_SECOND = 100;
// Streams that the peer opens and resets.
const RESET_BURST = 20_000;
const RESETS_PER_SECOND = 1_000;
/** The answers that may wait for a peer that does not read (Go's x/net/http2 has the same bound). */
const MAX_ANSWERS = 10_000;

/**
 * Bounds what a peer can have this side do for nothing.
 * Its methods throw Http2Error ERR_HTTP2_PROTOCOL with ENHANCE_YOUR_CALM when it is too much.
 */
export class FloodGuard {
  readonly #barren = new Budget(BARREN_BURST, BARREN_PER_SECOND);
  readonly #resets = new Budget(RESET_BURST, RESETS_PER_SECOND);
  readonly #writer: { answers: number };

  /** @param writer counts the answers that the peer has not read */
  constructor(writer: { answers: number }) {
    this.#writer = writer;
  }

  /** Either side has sent something of use: the peer may answer it with control frames. */
  progress(): void {
    this.#barren.restore();
  }

  /** A frame that carries nothing. */
  barren(): void {
    if (!this.#barren.take()) throw tooMuch("the peer sends too many frames that carry nothing");
  }

  /** A stream that the peer has opened and reset. */
  reset(): void {
    if (!this.#resets.take()) throw tooMuch("the peer opens and resets too many streams");
  }

  /** A frame that must be answered. */
  answer(): void {
    if (++this.#writer.answers > MAX_ANSWERS)
      throw tooMuch("the peer asks for answers but does not read them");
  }
}

function tooMuch(message: string): Error {
  return connectionError(ErrorCode.ENHANCE_YOUR_CALM, message);
}
