import type { Connection } from "./connection.js";
import { FrameBuffer } from "./frame-buffer.js";
import type { HeaderList } from "./hpack-decoder.js";
import type { HpackEncoder } from "./hpack-encoder.js";

// From here on frames are handed to the connection without waiting for the end of the turn.
const FLUSH_AT = 131_072;
// No further DATA is queued from here on, until what waits has fallen to the lower mark.
const CONGESTED_AT = 524_288;
const RELIEVED_AT = 131_072;

export interface WriterEvents {
  /** The queue has fallen below the mark again after `congested` was true. */
  relieved(): void;
  /** The connection was handed all that was queued. */
  handedOver(): void;
}

/**
 * Queues frames and hands them to the connection once per turn of the event loop, so that the frames of many calls cost
 * one system call.
 */
export class FrameWriter {
  readonly #connection: Connection;
  readonly #events: WriterEvents;
  readonly #frames: FrameBuffer;
  /** Bytes of each batch that the connection has been handed and has not taken, and of all of them. */
  readonly #inflight: number[] = [];
  #inflightBytes = 0;
  /** Batches handed to the connection, and taken by it. */
  #handed = 0;
  #took = 0;
  readonly #afterFlush: { readonly batch: number; readonly callback: () => void }[] = [];
  #flushesSoon = false;
  #flushesLazily = false;
  #closed = false;
  #wasCongested = false;
  /** Answers to the peer that were queued since the connection last took everything. */
  answers = 0;

  constructor(connection: Connection, events: WriterEvents, trace?: ((line: string) => void) | undefined) {
    this.#connection = connection;
    this.#events = events;
    this.#frames = new FrameBuffer(trace);
  }

  /** Bytes that the connection has not taken yet. */
  get pending(): number {
    return this.#inflightBytes + this.#frames.bytes;
  }

  /** Whether DATA should wait for `relieved`. */
  get congested(): boolean {
    if (this.pending < CONGESTED_AT) return false;
    this.#wasCongested = true;
    return true;
  }

  /** Queues bytes that are no frame: a client's preface. */
  raw(bytes: Uint8Array): void {
    if (this.#closed) return;
    this.#frames.raw(bytes);
    this.#queued();
  }

  /** Queues a small frame. */
  frame(type: number, flags: number, id: number, payload: Uint8Array): void {
    if (this.#closed) return;
    this.#frames.frame(type, flags, id, payload);
    this.#queued();
  }

  /** Queues a frame whose payload is one number: RST_STREAM, WINDOW_UPDATE. */
  number(type: number, id: number, value: number): void {
    if (this.#closed) return;
    this.#frames.number(type, id, value);
    this.#queued();
  }

  /** Queues a window update; it goes out with the next frames, or once the connection has no more input at hand. */
  lazily(type: number, id: number, value: number): void {
    if (this.#closed) return;
    this.#frames.number(type, id, value);
    if (this.#flushesSoon || this.#flushesLazily) return;
    this.#flushesLazily = true;
    setImmediate(this.#flushLazily);
  }

  /** Queues the header fields of a message, which take at most `bound` bytes, no more than 16 KiB. */
  headers(flags: number, id: number, bound: number, encoder: HpackEncoder, list: HeaderList): void {
    if (this.#closed) return;
    this.#frames.headers(flags, id, bound, encoder, list);
    this.#queued();
  }

  /** Queues a large frame, whose payload is kept by reference. */
  large(type: number, flags: number, id: number, payload: Uint8Array): void {
    if (this.#closed) return;
    this.#frames.large(type, flags, id, payload);
    this.#queued();
  }

  /** Queues DATA: `lead`, if any, and `chunk` in one frame. A large chunk is kept by reference. */
  data(id: number, end: boolean, lead: Uint8Array | undefined, chunk: Uint8Array): void {
    if (this.#closed) return;
    this.#frames.data(id, end, lead, chunk);
    this.#queued();
  }

  /** Ends a message by the latest DATA frame, if that is its and has not been handed over. */
  endLast(id: number): boolean {
    return this.#frames.endLast(id);
  }

  /** Calls back once the connection has taken all that is queued; never, if it ends before. */
  afterFlush(callback: () => void): void {
    const batch = this.#handed + (this.#frames.bytes > 0 ? 1 : 0);
    if (batch === this.#took) queueMicrotask(callback);
    else this.#afterFlush.push({ batch, callback });
  }

  /** Hands everything over; nothing can be queued after that. */
  close(): void {
    if (this.#closed) return;
    this.#handOver();
    this.#closed = true;
  }

  /** Drops what is queued; nothing can be queued after that. */
  drop(): void {
    this.#closed = true;
  }

  #queued(): void {
    if (this.#frames.bytes >= FLUSH_AT) this.#flush();
    else if (!this.#flushesSoon) {
      this.#flushesSoon = true;
      // After the promise reactions of this turn: what they write goes out in the same system call.
      queueMicrotask(this.#nextTick);
    }
  }

  readonly #nextTick = (): void => {
    process.nextTick(this.#flush);
  };

  /** Hands what is queued to the connection, unless that has more than enough already; then its completion will. */
  readonly #flush = (): void => {
    this.#flushesSoon = false;
    if (this.#closed || this.#inflightBytes >= CONGESTED_AT) return;
    this.#handOver();
  };

  readonly #flushLazily = (): void => {
    this.#flushesLazily = false;
    if (!this.#flushesSoon) this.#flush();
  };

  #handOver(): void {
    const { bytes } = this.#frames;
    if (bytes === 0) return;
    this.#handed++;
    this.#inflight.push(bytes);
    this.#inflightBytes += bytes;
    if (this.#connection.write(this.#frames.take(), this.#taken)) this.#events.handedOver();
  }

  readonly #taken = (): void => {
    this.#inflightBytes -= this.#inflight.shift() ?? 0;
    this.#took++;
    while (this.#afterFlush.length > 0 && this.#afterFlush[0]!.batch <= this.#took) {
      this.#afterFlush.shift()!.callback();
    }
    if (this.#inflight.length === 0) {
      this.answers = 0;
      if (this.#connection.copies) this.#frames.recycle();
    }
    if (this.#closed) return;
    if (!this.#flushesSoon && this.#frames.bytes > 0) this.#flush();
    if (this.#wasCongested && this.pending <= RELIEVED_AT) {
      this.#wasCongested = false;
      this.#events.relieved();
    }
  };
}
