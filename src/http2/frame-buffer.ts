import { DATA, describeFrame, END_STREAM, HEADER_SIZE, HEADERS, putHeader, putU32 } from "./frame.js";
import type { HeaderList } from "./hpack-decoder.js";
import type { HpackEncoder } from "./hpack-encoder.js";

const SLAB_SIZE = 65_536;
/** Payloads up to this are copied next to their header; larger ones are passed on by reference. */
const COPY_LIMIT = 8192;

/** Frames in the order they are to be sent: headers and small payloads share a slab of memory, large payloads go by reference. */
export class FrameBuffer {
  readonly #trace: ((line: string) => void) | undefined;
  #slab = Buffer.allocUnsafeSlow(SLAB_SIZE);
  /** What of the slab is not among the parts yet. */
  #start = 0;
  #end = 0;
  #parts: Uint8Array[] = [];
  #partBytes = 0;
  /** Where the latest DATA frame begins, if it is still in the slab: its message may end with it. */
  #last = -1;
  #lastId = 0;

  constructor(trace: ((line: string) => void) | undefined) {
    this.#trace = trace;
  }

  /** Bytes that were put and not taken. */
  get bytes(): number {
    return this.#partBytes + this.#end - this.#start;
  }

  /** Bytes that are no frame: a client's preface. */
  raw(bytes: Uint8Array): void {
    const at = this.#reserve(bytes.length);
    this.#slab.set(bytes, at);
    this.#end = at + bytes.length;
  }

  /** A small frame. */
  frame(type: number, flags: number, id: number, payload: Uint8Array): void {
    const at = this.#reserve(HEADER_SIZE + payload.length);
    this.#header(at, payload.length, type, flags, id);
    this.#slab.set(payload, at + HEADER_SIZE);
    this.#end = at + HEADER_SIZE + payload.length;
  }

  /** A frame whose payload is one number: RST_STREAM, WINDOW_UPDATE. */
  number(type: number, id: number, value: number): void {
    const at = this.#reserve(HEADER_SIZE + 4);
    this.#header(at, 4, type, 0, id);
    putU32(this.#slab, at + HEADER_SIZE, value);
    this.#end = at + HEADER_SIZE + 4;
  }

  /** A HEADERS frame, whose block takes at most `bound` bytes, no more than 16 KiB. */
  headers(flags: number, id: number, bound: number, encoder: HpackEncoder, list: HeaderList): void {
    const at = this.#reserve(HEADER_SIZE + bound);
    const end = encoder.encode(list, this.#slab, at + HEADER_SIZE);
    this.#header(at, end - at - HEADER_SIZE, HEADERS, flags, id);
    this.#end = end;
  }

  /** A large frame, whose payload is kept by reference. */
  large(type: number, flags: number, id: number, payload: Uint8Array): void {
    const at = this.#reserve(HEADER_SIZE);
    this.#header(at, payload.length, type, flags, id);
    this.#end = at + HEADER_SIZE;
    this.#append(payload);
    this.#last = -1;
  }

  /** A DATA frame: `lead`, if any, and `chunk`. Beyond 8 KiB the chunk is kept by reference. */
  data(id: number, end: boolean, lead: Uint8Array | undefined, chunk: Uint8Array): void {
    const { length } = chunk;
    const leading = lead === undefined ? 0 : lead.length;
    const copied = length <= COPY_LIMIT ? length : 0;
    const at = this.#reserve(HEADER_SIZE + leading + copied);
    const slab = this.#slab;
    this.#header(at, leading + length, DATA, end ? END_STREAM : 0, id);
    this.#last = at;
    this.#lastId = id;
    let to = at + HEADER_SIZE;
    for (let i = 0; i < leading; i++) slab[to++] = lead![i]!;
    // A call of `set` costs more than a few octets do.
    if (copied < 32) for (let i = 0; i < copied; i++) slab[to + i] = chunk[i]!;
    else slab.set(chunk, to);
    this.#end = to + copied;
    if (copied < length) this.#append(chunk);
  }

  /** Ends a message by the latest DATA frame, if that is its and was not taken. */
  endLast(id: number): boolean {
    if (this.#last < 0 || this.#lastId !== id) return false;
    this.#slab[this.#last + 4]! |= END_STREAM;
    this.#last = -1;
    return true;
  }

  /** All that was put, in order: nothing is left. */
  take(): readonly Uint8Array[] {
    this.#seal();
    const parts = this.#parts;
    if (parts.length > 0) this.#parts = [];
    this.#partBytes = 0;
    return parts;
  }

  /** Nobody reads any more what was taken: its memory may be written to again. */
  recycle(): void {
    if (this.#parts.length > 0 || this.#start !== this.#end) return;
    this.#start = 0;
    this.#end = 0;
  }

  #header(at: number, length: number, type: number, flags: number, id: number): void {
    if (this.#trace !== undefined) this.#trace(`> ${describeFrame(type, flags, id, length)}`);
    putHeader(this.#slab, at, length, type, flags, id);
  }

  #reserve(bytes: number): number {
    if (this.#slab.length - this.#end < bytes) {
      this.#seal();
      this.#slab = Buffer.allocUnsafeSlow(SLAB_SIZE);
      this.#start = 0;
      this.#end = 0;
    }
    return this.#end;
  }

  /** Puts a chunk behind what is in the slab. */
  #append(chunk: Uint8Array): void {
    const last = this.#last;
    this.#seal();
    // The header is still in this slab, and has not gone out.
    this.#last = last;
    this.#parts.push(chunk);
    this.#partBytes += chunk.length;
  }

  #seal(): void {
    this.#last = -1;
    if (this.#end === this.#start) return;
    this.#parts.push(this.#slab.subarray(this.#start, this.#end));
    this.#partBytes += this.#end - this.#start;
    this.#start = this.#end;
  }
}
