import { YamuxError } from "./errors.js";
import { DATA, GO_AWAY, HEADER_SIZE, readU32, VERSION } from "./frame.js";

/** What a parser tells of the frames it finds. */
export interface FrameSink {
  /**
   * A header is complete. For a data frame with a length, true asks for its payload; false lets the parser
   * skip it. Nothing may be assumed of `length` but that it fits 32 bits.
   */
  frame(type: number, flags: number, id: number, length: number): boolean;
  /** A piece of the payload, never empty; `last` with its final byte. Valid during the call only. */
  payload(chunk: Buffer, last: boolean): void;
}

type ParserState = "header" | "payload" | "skip" | "stopped";

/** Cuts a byte stream into frames. It holds at most 11 bytes: payloads pass through in the pieces they came in. */
export class FrameParser {
  readonly #sink: FrameSink;
  readonly #scratch = Buffer.alloc(HEADER_SIZE);
  #state: ParserState = "header";
  #partial = 0;
  #left = 0;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** Whether the input so far ends between two frames. */
  get atBoundary(): boolean {
    return this.#state === "header" && this.#partial === 0;
  }

  /** What is still to come of the payload that is being passed on; 0 between two frames. */
  get payloadLeft(): number {
    return this.#state === "payload" ? this.#left : 0;
  }

  /** Ignores all further input; may be called from within the sink. */
  stop(): void {
    this.#state = "stopped";
  }

  /**
   * @throws YamuxError ERR_YAMUX_INVALID_VERSION or ERR_YAMUX_INVALID_MSG_TYPE, and whatever the sink throws;
   * call stop() then.
   */
  push(chunk: Buffer): void {
    const end = chunk.length;
    let offset = 0;
    while (offset < end) {
      if (this.#state === "header") {
        if (this.#partial === 0 && end - offset >= HEADER_SIZE) {
          this.#header(chunk, offset);
          offset += HEADER_SIZE;
        } else {
          const taken = Math.min(HEADER_SIZE - this.#partial, end - offset);
          chunk.copy(this.#scratch, this.#partial, offset, offset + taken);
          this.#partial += taken;
          offset += taken;
          if (this.#partial === HEADER_SIZE) {
            this.#partial = 0;
            this.#header(this.#scratch, 0);
          }
        }
      } else if (this.#state === "stopped") {
        return;
      } else {
        const taken = Math.min(this.#left, end - offset);
        const wanted = this.#state === "payload";
        this.#left -= taken;
        const last = this.#left === 0;
        if (last) this.#state = "header";
        if (wanted) this.#sink.payload(taken === end ? chunk : chunk.subarray(offset, offset + taken), last);
        offset += taken;
      }
    }
  }

  #header(bytes: Buffer, at: number): void {
    const version = bytes[at]!;
    if (version !== VERSION)
      throw new YamuxError("ERR_YAMUX_INVALID_VERSION", { message: `invalid protocol version: ${version}` });
    const type = bytes[at + 1]!;
    if (type > GO_AWAY)
      throw new YamuxError("ERR_YAMUX_INVALID_MSG_TYPE", { message: `invalid msg type: ${type}` });
    const length = readU32(bytes, at + 8);
    const wanted = this.#sink.frame(
      type,
      (bytes[at + 2]! << 8) | bytes[at + 3]!,
      readU32(bytes, at + 4),
      length,
    );
    // The sink may have stopped the parser.
    if (type === DATA && length > 0 && this.#state === "header") {
      this.#left = length;
      this.#state = wanted ? "payload" : "skip";
    }
  }
}
