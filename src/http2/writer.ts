import type { Connection } from "./connection.js";
import { DATA, describeFrame, END_STREAM, HEADER_SIZE, HEADERS, putHeader, putU32 } from "./frame.js";
import type { HeaderList } from "./hpack-decoder.js";
import type { HpackEncoder } from "./hpack-encoder.js";

const SLAB_SIZE = 65_536;
/** Payloads up to this are copied next to their header; larger ones are passed on by reference. */
const COPY_LIMIT = 8192;
// From here on frames are handed to the connection without waiting for the end of the turn.
const FLUSH_AT = 131_072;
// No further DATA is queued from here on, until what waits has fallen to the lower mark.
const CONGESTED_AT = 524_288;
const RELIEVED_AT = 131_072;

export interface WriterEvents {
  /** The queue has fallen below the mark again after `congested` was true. */
  relieved(): void;
}

/**
 * Queues frames and hands them to the connection once per turn of the event loop, so that the frames of many calls cost
 * one system call: headers and small payloads share a slab of memory, large payloads go by reference.
 */
export class FrameWriter {
  readonly #connection: Connection;
  readonly #events: WriterEvents;
  readonly #trace: ((line: string) => void) | undefined;
  #slab = Buffer.allocUnsafeSlow(SLAB_SIZE);
  #start = 0;
  #end = 0;
  #parts: Uint8Array[] = [];
  #partBytes = 0;
  #inflight: number[] = [];
  #inflightBytes = 0;
  /** Batches handed to the connection, and taken by it. */
  #handed = 0;
  #took = 0;
  #afterFlush: { readonly batch: number; readonly callback: () => void }[] = [];
  #scheduled = false;
  #lazy = false;
  #closed = false;
  #wasCongested = false;
  /** The latest DATA frame, if it is still in the slab: its message may end with it. */
  #last = -1;
  #lastId = 0;
  /** Answers to the peer that were queued since the connection last took everything. */
  answers = 0;

  constructor(connection: Connection, events: WriterEvents, trace?: ((line: string) => void) | undefined) {
    this.#trace = trace;
    this.#connection = connection;
    this.#events = events;
  }

  /** Bytes that the connection has not taken yet. */
  get pending(): number {
    return this.#inflightBytes + this.#partBytes + this.#end - this.#start;
  }

  /** Whether DATA should wait for `relieved`. */
  get congested(): boolean {
    if (this.#inflightBytes + this.#partBytes + this.#end - this.#start < CONGESTED_AT) return false;
    this.#wasCongested = true;
    return true;
  }

  /** Queues bytes that are no frame: a client's preface. */
  raw(bytes: Uint8Array): void {
    if (this.#closed) return;
    this.#slab.set(bytes, this.#reserve(bytes.length));
    this.#queued(bytes.length);
  }

  /** Queues a small frame. */
  frame(type: number, flags: number, id: number, payload: Uint8Array): void {
    if (this.#closed) return;
    const at = this.#reserve(HEADER_SIZE + payload.length);
    this.#header(this.#slab, at, payload.length, type, flags, id);
    this.#slab.set(payload, at + HEADER_SIZE);
    this.#queued(HEADER_SIZE + payload.length);
  }

  /** Queues a frame whose payload is one number: RST_STREAM, WINDOW_UPDATE. */
  number(type: number, id: number, value: number): void {
    if (this.#closed) return;
    const at = this.#reserve(HEADER_SIZE + 4);
    this.#header(this.#slab, at, 4, type, 0, id);
    putU32(this.#slab, at + HEADER_SIZE, value);
    this.#queued(HEADER_SIZE + 4);
  }

  /** Queues a window update; it goes out with the next frames, or once the connection has no more input at hand. */
  lazily(type: number, id: number, value: number): void {
    const scheduled = this.#scheduled;
    this.#scheduled = true;
    this.number(type, id, value);
    this.#scheduled = scheduled;
    if (!scheduled && !this.#lazy) {
      this.#lazy = true;
      setImmediate(this.#flushLazy);
    }
  }

  /** Queues the header fields of a message, which take at most `bound` bytes, no more than 16 KiB. */
  headers(flags: number, id: number, bound: number, encoder: HpackEncoder, list: HeaderList): void {
    if (this.#closed) return;
    const at = this.#reserve(HEADER_SIZE + bound);
    const payload = encoder.encode(list, this.#slab, at + HEADER_SIZE) - at - HEADER_SIZE;
    this.#header(this.#slab, at, payload, HEADERS, flags, id);
    this.#queued(HEADER_SIZE + payload);
  }

  /** Queues a large frame, whose payload is kept by reference. */
  large(type: number, flags: number, id: number, payload: Uint8Array): void {
    if (this.#closed) return;
    const at = this.#reserve(HEADER_SIZE);
    this.#header(this.#slab, at, payload.length, type, flags, id);
    this.#end = at + HEADER_SIZE;
    this.#append(payload);
    this.#last = -1;
    this.#queued(0);
  }

  /** Queues DATA: `lead`, if any, and `chunk` in one frame. Beyond 8 KiB the chunk is kept by reference. */
  data(id: number, end: boolean, lead: Uint8Array | undefined, chunk: Uint8Array): void {
    if (this.#closed) return;
    const { length } = chunk;
    const leading = lead === undefined ? 0 : lead.length;
    const copied = length <= COPY_LIMIT ? length : 0;
    const at = this.#reserve(HEADER_SIZE + leading + copied);
    const slab = this.#slab;
    this.#header(slab, at, leading + length, DATA, end ? END_STREAM : 0, id);
    this.#last = at;
    this.#lastId = id;
    let to = at + HEADER_SIZE;
    for (let i = 0; i < leading; i++) slab[to++] = lead![i]!;
    if (copied < 32) for (let i = 0; i < copied; i++) slab[to + i] = chunk[i]!;
    else slab.set(chunk, to);
    if (copied === 0 && length > 0) {
      this.#end = to;
      this.#append(chunk);
      this.#queued(0);
    } else this.#queued(HEADER_SIZE + leading + copied);
  }

  /** Ends a message by the latest DATA frame, if that is its and has not been handed over. */
  endLast(id: number): boolean {
    if (this.#last < 0 || this.#lastId !== id) return false;
    this.#slab[this.#last + 4]! |= END_STREAM;
    this.#last = -1;
    return true;
  }

  /** Calls back once the connection has taken all that is queued; never, if it ends before. */
  afterFlush(callback: () => void): void {
    const open = this.#partBytes + this.#end - this.#start > 0 ? 1 : 0;
    const batch = this.#handed + open;
    if (batch === this.#took) queueMicrotask(callback);
    else this.#afterFlush.push({ batch, callback });
  }

  /** Hands what is queued to the connection, unless that has more than enough already; then its completion will. */
  readonly flush = (): void => {
    this.#scheduled = false;
    if (this.#closed || this.#inflightBytes >= CONGESTED_AT) return;
    this.#handOver();
  };

  /** Hands everything over; nothing can be queued after that. */
  close(): void {
    if (this.#closed) return;
    this.#handOver();
    this.#closed = true;
  }

  /** Forgets everything that the connection has not been given. */
  abandon(): void {
    this.#closed = true;
    this.#parts = [];
  }

  #header(target: Buffer, at: number, length: number, type: number, flags: number, id: number): void {
    if (this.#trace !== undefined) this.#trace(`> ${describeFrame(type, flags, id, length)}`);
    putHeader(target, at, length, type, flags, id);
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

  #queued(bytes: number): void {
    this.#end += bytes;
    if (this.#partBytes + this.#end - this.#start >= FLUSH_AT) this.flush();
    else if (!this.#scheduled) {
      this.#scheduled = true;
      // After the promise reactions of this turn: what they write goes out in the same system call.
      queueMicrotask(this.#nextTick);
    }
  }

  readonly #nextTick = (): void => {
    process.nextTick(this.flush);
  };

  readonly #flushLazy = (): void => {
    this.#lazy = false;
    if (!this.#scheduled) this.flush();
  };

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

  #handOver(): void {
    this.#seal();
    const parts = this.#parts;
    if (parts.length === 0) return;
    this.#handed++;
    this.#inflight.push(this.#partBytes);
    this.#inflightBytes += this.#partBytes;
    this.#parts = [];
    this.#partBytes = 0;
    this.#connection.write(parts, this.#taken);
  }

  readonly #taken = (): void => {
    this.#inflightBytes -= this.#inflight.shift() ?? 0;
    this.#took++;
    while (this.#afterFlush.length > 0 && this.#afterFlush[0]!.batch <= this.#took) {
      this.#afterFlush.shift()!.callback();
    }
    if (this.#inflight.length === 0) {
      this.answers = 0;
      if (this.#connection.copies && this.#parts.length === 0 && this.#start === this.#end) {
        this.#start = 0;
        this.#end = 0;
      }
    }
    if (this.#closed) return;
    if (!this.#scheduled && this.#partBytes + this.#end - this.#start > 0) this.flush();
    if (this.#wasCongested && this.pending <= RELIEVED_AT) {
      this.#wasCongested = false;
      this.#events.relieved();
    }
  };
}
