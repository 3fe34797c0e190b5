import { connectionError, ErrorCode } from "./errors.js";
import { DATA, describeFrame, HEADER_SIZE, PREFACE, readU32 } from "./frame.js";

/** What a parser tells of the frames it finds. */
export interface FrameSink {
  /** A frame other than DATA, whole. The payload is valid during the call only. */
  frame(type: number, flags: number, id: number, payload: Buffer): void;
  /** The header of a DATA frame; `length` with its padding. */
  data(flags: number, id: number, length: number): void;
  /** A piece of its payload, never empty; `last` with its final byte. Not called for an empty frame. */
  payload(chunk: Buffer, last: boolean): void;
}

type ParserState = "preface" | "header" | "data" | "collect" | "stopped";

/**
 * Cuts a byte stream into frames. Payloads of DATA pass through in the pieces they came in; of other frames at most
 * one, no larger than the frame size allowed, is held while it is incomplete.
 */
export class FrameParser {
  readonly #sink: FrameSink;
  readonly #maxFrameSize: number;
  readonly #header = Buffer.alloc(HEADER_SIZE);
  #state: ParserState;
  #partial = 0;
  #left = 0;
  #type = 0;
  #flags = 0;
  #id = 0;
  #collected: Buffer = Buffer.alloc(0);
  /** Frames that have begun. */
  frames = 0;

  /**
   * @param maxFrameSize bytes of a payload (SETTINGS_MAX_FRAME_SIZE)
   * @param expectsPreface a server's input begins with the client's preface
   */
  constructor(sink: FrameSink, maxFrameSize: number, expectsPreface: boolean) {
    this.#sink = sink;
    this.#maxFrameSize = maxFrameSize;
    this.#state = expectsPreface ? "preface" : "header";
  }

  /** Whether the input so far ends between two frames. */
  get atBoundary(): boolean {
    return this.#state === "header" && this.#partial === 0;
  }

  /** Ignores all further input; may be called from within the sink. */
  stop(): void {
    this.#state = "stopped";
    this.#collected = Buffer.alloc(0);
  }

  /**
   * @throws Http2Error ERR_HTTP2_PROTOCOL (no preface, a frame that is too large), and whatever the sink throws;
   * call stop() then.
   */
  push(chunk: Buffer): void {
    const end = chunk.length;
    let at = 0;
    while (at < end) {
      if (this.#state === "header") {
        if (this.#partial === 0 && end - at >= HEADER_SIZE) {
          const start = at + HEADER_SIZE;
          const length = this.#read(chunk, at);
          at = start;
          // Most frames come whole.
          if (length > 0 && this.#type !== DATA && end - at >= length) {
            at += length;
            this.#sink.frame(this.#type, this.#flags, this.#id, chunk.subarray(start, at));
          } else this.#begin(length);
        } else {
          const taken = Math.min(HEADER_SIZE - this.#partial, end - at);
          chunk.copy(this.#header, this.#partial, at, at + taken);
          this.#partial += taken;
          at += taken;
          if (this.#partial === HEADER_SIZE) {
            this.#partial = 0;
            this.#begin(this.#read(this.#header, 0));
          }
        }
      } else if (this.#state === "data") {
        const taken = Math.min(this.#left, end - at);
        this.#left -= taken;
        const last = this.#left === 0;
        if (last) this.#state = "header";
        this.#sink.payload(taken === end ? chunk : chunk.subarray(at, at + taken), last);
        at += taken;
      } else if (this.#state === "collect") {
        const taken = Math.min(this.#left, end - at);
        chunk.copy(this.#collected, this.#collected.length - this.#left, at, at + taken);
        this.#left -= taken;
        at += taken;
        if (this.#left === 0) {
          const payload = this.#collected;
          this.#collected = EMPTY;
          this.#state = "header";
          this.#sink.frame(this.#type, this.#flags, this.#id, payload);
        }
      } else if (this.#state === "preface") {
        const taken = Math.min(PREFACE.length - this.#partial, end - at);
        const expected = PREFACE.subarray(this.#partial, this.#partial + taken);
        if (!expected.equals(chunk.subarray(at, at + taken))) {
          throw connectionError(ErrorCode.PROTOCOL_ERROR, "the peer does not speak HTTP/2");
        }
        at += taken;
        this.#partial += taken;
        if (this.#partial === PREFACE.length) {
          this.#partial = 0;
          this.#state = "header";
        }
      } else return;
    }
  }

  /** Reads a header and returns the payload's length. */
  #read(bytes: Buffer, at: number): number {
    this.frames++;
    const length = (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;
    this.#type = bytes[at + 3]!;
    this.#flags = bytes[at + 4]!;
    // The reserved bit means nothing.
    this.#id = readU32(bytes, at + 5) & 0x7fff_ffff;
    if (length > this.#maxFrameSize) {
      const frame = describeFrame(this.#type, this.#flags, this.#id, length);
      throw connectionError(
        ErrorCode.FRAME_SIZE_ERROR,
        `a frame beyond ${this.#maxFrameSize} bytes: ${frame}`,
      );
    }
    return length;
  }

  #begin(length: number): void {
    if (this.#type === DATA) {
      this.#left = length;
      if (length > 0) this.#state = "data";
      this.#sink.data(this.#flags, this.#id, length);
    } else if (length === 0) this.#sink.frame(this.#type, this.#flags, this.#id, EMPTY);
    else {
      this.#collected = Buffer.allocUnsafe(length);
      this.#left = length;
      this.#state = "collect";
    }
  }
}

const EMPTY = Buffer.alloc(0);
