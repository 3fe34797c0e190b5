import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { DATA, describeFrame, HEADER_SIZE, putHeader, WINDOW_UPDATE } from "./frame.js";
import { startPatientTimer } from "./patient-timer.js";

const SLAB_SIZE = 65_536;
/** Payloads up to this are copied next to their header; larger ones are passed on by reference. */
export const COPY_LIMIT = 8192;
// From here on frames are handed to the connection without waiting for the end of the turn.
const FLUSH_AT = 131_072;
// Streams wait for onDrain while this much is queued, until it has fallen to the lower mark.
const CONGESTED_AT = 524_288;
const RELIEVED_AT = 131_072;

const resolved = Promise.resolve();

interface Batch {
  readonly bytes: number;
  readonly handedOver: number;
  readonly callbacks: readonly (() => void)[] | undefined;
}

/** What a writer reports to the session. */
export interface WriterEvents {
  /** The queue has fallen below the mark again after `congested` was true. */
  relieved(): void;
  /** A write has been in the connection for longer than the timeout. Frames up to batch `since` are through. */
  stalled(since: number): void;
}

/**
 * Queues frames and hands them to the connection once per turn of the event loop, so that many small frames cost one
 * system call: headers and small payloads share a slab of memory, large payloads go by reference.
 */
export class FrameWriter {
  readonly #conn: Duplex;
  readonly #events: WriterEvents;
  readonly #timeout: number;
  readonly #trace: ((line: string) => void) | undefined;
  // A socket has copied the bytes out when it calls back. Another Duplex may pass them on by reference, to be
  // read at any time later, so its slabs are never used twice.
  readonly #reuse: boolean;
  #slab: Buffer;
  #start = 0;
  #end = 0;
  #parts: Uint8Array[] = [];
  #partBytes = 0;
  #callbacks: (() => void)[] | undefined;
  #scheduled = false;
  #lazy = false;
  #closed = false;
  #inflight: Batch[] = [];
  #inflightBytes = 0;
  #wasCongested = false;
  #stopTimer: (() => void) | undefined;
  /** The number of the batch being filled. */
  batch = 1;
  /** Answers to the peer (ping replies, refusals) queued since the connection last took everything. */
  answers = 0;

  constructor(
    conn: Duplex,
    timeout: number,
    events: WriterEvents,
    trace: ((line: string) => void) | undefined,
  ) {
    this.#conn = conn;
    this.#timeout = timeout;
    this.#events = events;
    this.#trace = trace;
    this.#reuse = conn instanceof Socket;
    this.#slab = Buffer.allocUnsafeSlow(SLAB_SIZE);
  }

  /** Bytes that the connection has not taken yet. */
  get pending(): number {
    return this.#inflightBytes + this.#partBytes + this.#end - this.#start;
  }

  /** Whether streams should wait for `relieved` before they write more. */
  get congested(): boolean {
    if (this.#inflightBytes + this.#partBytes + this.#end - this.#start < CONGESTED_AT) return false;
    this.#wasCongested = true;
    return true;
  }

  /** Queues a frame without payload. */
  frame(type: number, flags: number, id: number, length: number): void {
    if (this.#closed) return;
    if (this.#trace !== undefined) this.#trace(`> ${describeFrame(type, flags, id, length)}`);
    if (this.#slab.length - this.#end < HEADER_SIZE) this.#newSlab();
    putHeader(this.#slab, this.#end, type, flags, id, length);
    this.#end += HEADER_SIZE;
    if (!this.#scheduled) this.#schedule();
  }

  /** Queues a window update; it goes out with the next frames, or once the connection has no more input at hand. */
  credit(id: number, delta: number): void {
    const scheduled = this.#scheduled;
    this.#scheduled = true;
    this.frame(WINDOW_UPDATE, 0, id, delta);
    this.#scheduled = scheduled;
    if (!scheduled && !this.#lazy) {
      this.#lazy = true;
      setImmediate(this.#flushCredits);
    }
  }

  /** Queues a data frame without flags. Beyond 8 KiB the payload is kept by reference. */
  data(id: number, payload: Uint8Array): void {
    if (this.#closed) return;
    const length = payload.length;
    if (this.#trace !== undefined) this.#trace(`> ${describeFrame(DATA, 0, id, length)}`);
    const copied = length <= COPY_LIMIT ? length : 0;
    if (this.#slab.length - this.#end < HEADER_SIZE + copied) this.#newSlab();
    const slab = this.#slab;
    const at = this.#end;
    putHeader(slab, at, DATA, 0, id, length);
    this.#end = at + HEADER_SIZE + copied;
    if (copied === 0) {
      this.#seal();
      this.#parts.push(payload);
      this.#partBytes += length;
    } else if (length < 32) {
      for (let i = 0; i < length; i++) slab[at + HEADER_SIZE + i] = payload[i]!;
    } else {
      slab.set(payload, at + HEADER_SIZE);
    }
    if (this.#partBytes + this.#end - this.#start >= FLUSH_AT) this.flush();
    else if (!this.#scheduled) this.#schedule();
  }

  /** Calls back once the connection has taken everything queued so far; never, if the session ends before. */
  afterFlush(callback: () => void): void {
    if (this.pending === 0) {
      process.nextTick(callback);
    } else if (this.#partBytes + this.#end - this.#start === 0) {
      const last = this.#inflight.length - 1;
      const batch = this.#inflight[last];
      // None is left after a failed write, with which the session ends.
      if (batch !== undefined)
        this.#inflight[last] = { ...batch, callbacks: [...(batch.callbacks ?? []), callback] };
    } else {
      this.#callbacks ??= [];
      this.#callbacks.push(callback);
    }
  }

  /** Calls back once the payload of this length that was queued last is referred to no more; never, if that cannot be told. */
  whenFree(length: number, callback: () => void): void {
    if (!this.#reuse) return;
    if (length <= COPY_LIMIT) callback();
    else this.afterFlush(callback);
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
    this.#stopTimer?.();
  }

  /** Forgets everything that the connection has not been given. */
  abandon(): void {
    this.#closed = true;
    this.#stopTimer?.();
    this.#parts = [];
    this.#callbacks = undefined;
  }

  #schedule(): void {
    this.#scheduled = true;
    // After the promise reactions of this turn: what they write goes out in the same system call. queueMicrotask would
    // make an AsyncResource each time.
    void resolved.then(this.#nextTick);
  }

  readonly #nextTick = (): void => {
    process.nextTick(this.flush);
  };

  readonly #flushCredits = (): void => {
    this.#lazy = false;
    if (!this.#scheduled) this.flush();
  };

  #seal(): void {
    if (this.#end === this.#start) return;
    this.#parts.push(this.#slab.subarray(this.#start, this.#end));
    this.#partBytes += this.#end - this.#start;
    this.#start = this.#end;
  }

  #newSlab(): void {
    this.#seal();
    this.#slab = Buffer.allocUnsafeSlow(SLAB_SIZE);
    this.#start = 0;
    this.#end = 0;
  }

  #handOver(): void {
    this.#seal();
    const parts = this.#parts;
    if (parts.length === 0) return;
    const batch: Batch = {
      bytes: this.#partBytes,
      handedOver: performance.now(),
      callbacks: this.#callbacks,
    };
    this.#parts = [];
    this.#partBytes = 0;
    this.#callbacks = undefined;
    this.batch++;
    this.#inflight.push(batch);
    this.#inflightBytes += batch.bytes;
    if (this.#stopTimer === undefined) this.#arm(this.#timeout);
    const conn = this.#conn;
    if (parts.length === 1) {
      conn.write(parts[0]!, this.#written);
      return;
    }
    conn.cork();
    const last = parts.length - 1;
    for (let i = 0; i < last; i++) conn.write(parts[i]!);
    conn.write(parts[last]!, this.#written);
    conn.uncork();
  }

  // A failed write needs no answer here: the connection reports its error by itself.
  readonly #written = (error?: Error | null): void => {
    const batch = this.#inflight.shift();
    if (error || batch === undefined) return;
    this.#inflightBytes -= batch.bytes;
    if (this.#inflight.length === 0) {
      this.answers = 0;
      if (this.#reuse && this.#parts.length === 0 && this.#start === this.#end) {
        this.#start = 0;
        this.#end = 0;
      }
    }
    if (batch.callbacks !== undefined) for (const callback of batch.callbacks) callback();
    if (this.#closed) return;
    if (!this.#scheduled && this.#partBytes + this.#end - this.#start > 0) this.flush();
    if (this.#wasCongested && this.pending <= RELIEVED_AT) {
      this.#wasCongested = false;
      this.#events.relieved();
    }
  };

  #arm(delay: number): void {
    this.#stopTimer = startPatientTimer(delay, this.#timeout, this.#check);
  }

  // Left to run out by itself: one timer for very many writes.
  readonly #check = (): void => {
    this.#stopTimer = undefined;
    const oldest = this.#inflight[0];
    if (oldest === undefined) return;
    const left = oldest.handedOver + this.#timeout - performance.now();
    if (left > 0) {
      this.#arm(left);
      return;
    }
    this.#arm(this.#timeout);
    this.#events.stalled(this.batch - this.#inflight.length);
  };
}
