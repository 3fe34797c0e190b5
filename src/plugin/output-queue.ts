import { within } from "../wait.js";
import { ServeError } from "./errors.js";

/** Takes a process's output to a host: a stream of one connection. */
export interface OutputSink {
  /**
   * Owns the chunk, of 64 KiB at most, from here on. False: no more until `ready` is called, which says that the connection has taken the
   * chunk. May throw: it got nothing, and is dropped.
   */
  write(chunk: Buffer): boolean;
  /** Whether the chunk that it is not ready after has left the process all the same. Asked when the process ends. */
  hasSent?(): boolean;
}

/** A sink's place in the queue's list. */
export interface Attachment {
  /** The sink takes more. */
  ready(): void;
  /** The sink is gone. */
  detach(): void;
}

/** Bytes that wait before a writer is asked to wait: the size of a Linux pipe, which is what stands here in Go. */
const PIPE_BYTES = 65_536;
/** Bytes at which a writer that waits is told to go on. */
const ROOM_BYTES = 16_384;
/** The most that is handed over at once. */
const CHUNK_BYTES = 65_536;
/** Bytes that wait for a first connection, or for the next; beyond that, output is dropped. */
export const MAX_WAITING_BYTES = 64 * 1024 * 1024;

interface Entry {
  readonly sink: OutputSink;
  /** What the sink was given and is not ready after. */
  underway: Buffer | undefined;
}

type WriteCallback = (error?: Error | null) => void;

/**
 * Between a process's stdout and the connections that it is copied to: it behaves to the writer as a pipe does, and
 * keeps what nobody has taken yet. Where Go lets the connections race for the one pipe, here the connection that has
 * been there longest gets the output, and the next in line after it.
 */
export class OutputQueue {
  /** While set, writers are never asked to wait: nobody can take anything before the handshake. */
  holding = true;
  readonly #onRoom: () => void;
  /** Told once for each run of writes that had to be dropped. */
  onOverflow: (error: ServeError) => void = () => {};
  #sinks: Entry[] = [];
  #chunks: Buffer[] = [];
  #length = 0;
  /** Bytes ever put in, and those of them that have left. */
  #accepted = 0;
  #taken = 0;
  #waitingCallbacks: { at: number; callback: WriteCallback }[] = [];
  #waitingFlushes: (() => void)[] = [];
  #roomOwed = false;
  #overflowing = false;

  constructor(onRoom: () => void) {
    this.#onRoom = onRoom;
  }

  /** Bytes that no connection has taken. */
  get length(): number {
    return this.#length;
  }

  /** Takes a copy of the chunk. Same contract as Writable.write: the callback comes when the bytes have a place. */
  write(chunk: Buffer, callback?: WriteCallback): boolean {
    if (this.#sinks.length === 0 && this.#length + chunk.length > MAX_WAITING_BYTES) {
      const error = new ServeError(
        "ERR_SERVE_OUTPUT_OVERFLOW",
        `output is dropped: ${MAX_WAITING_BYTES} bytes wait for a host already`,
      );
      if (!this.#overflowing) this.onOverflow(error);
      this.#overflowing = true;
      if (callback !== undefined) process.nextTick(callback, error);
      return false;
    }
    this.#overflowing = false;
    if (chunk.length > 0) {
      this.#chunks.push(chunk);
      this.#length += chunk.length;
      this.#accepted += chunk.length;
    }
    // What the writer waits for is a place in the pipe, so that it cannot wait for a connection that never comes.
    this.#pump();
    if (callback !== undefined) this.#whenPlaced(callback);
    if (this.holding || this.#length <= PIPE_BYTES) return true;
    this.#roomOwed = true;
    return false;
  }

  /** Adds a connection. */
  attach(sink: OutputSink): Attachment {
    const entry: Entry = { sink, underway: undefined };
    this.#sinks.push(entry);
    this.#pump();
    return {
      ready: () => {
        entry.underway = undefined;
        this.#pump();
      },
      detach: () => this.#remove(entry),
    };
  }

  /**
   * Resolves true when connections have taken everything that was written, false when they have not within
   * `timeoutMs`, or when there are none.
   */
  async flush(timeoutMs: number): Promise<boolean> {
    if (this.#sinks.length > 0 && !this.#flushed()) {
      const flushed = new Promise<void>((resolve) => this.#waitingFlushes.push(resolve));
      await within(timeoutMs, flushed);
    }
    return this.#flushed();
  }

  /** Takes back what is with a connection and has not left the process, for {@link divert}. */
  reclaim(): void {
    const first = this.#sinks[0];
    if (first?.underway === undefined || first.sink.hasSent?.() === true) return;
    this.#chunks.unshift(first.underway);
    this.#length += first.underway.length;
    first.underway = undefined;
    this.#sinks = [];
  }

  /** Sends everything that is left, and all that comes, to this sink and no other. */
  divert(sink: OutputSink): void {
    this.#sinks = [];
    this.attach(sink);
  }

  #flushed(): boolean {
    return this.#length === 0 && this.#sinks[0]?.underway === undefined;
  }

  #remove(entry: Entry): void {
    const index = this.#sinks.indexOf(entry);
    if (index < 0) return;
    this.#sinks.splice(index, 1);
    this.#pump();
    if (this.#sinks.length === 0) this.#releaseFlushes();
  }

  #pump(): void {
    for (
      let entry = this.#sinks[0];
      entry !== undefined && entry.underway === undefined;
      entry = this.#sinks[0]
    ) {
      const chunk = this.#next();
      if (chunk === undefined) break;
      try {
        if (!entry.sink.write(chunk)) entry.underway = chunk;
      } catch {
        // The sink got nothing of it; the next connection does.
        this.#chunks.unshift(chunk);
        this.#remove(entry);
        return;
      }
      this.#left(chunk.length);
    }
    if (this.#flushed()) this.#releaseFlushes();
  }

  /** The next bytes to hand over: several small writes together, or a part of a large one. */
  #next(): Buffer | undefined {
    const [first] = this.#chunks;
    if (first !== undefined && first.length > CHUNK_BYTES) {
      this.#chunks[0] = first.subarray(CHUNK_BYTES);
      return first.subarray(0, CHUNK_BYTES);
    }
    let count = 0;
    let bytes = 0;
    for (const chunk of this.#chunks) {
      if (count > 0 && bytes + chunk.length > CHUNK_BYTES) break;
      count++;
      bytes += chunk.length;
    }
    const taken = this.#chunks.splice(0, count);
    return taken.length > 1 ? Buffer.concat(taken, bytes) : taken[0];
  }

  #left(bytes: number): void {
    this.#length -= bytes;
    this.#taken += bytes;
    const placed = this.#taken + PIPE_BYTES;
    while (this.#waitingCallbacks[0] !== undefined && this.#waitingCallbacks[0].at <= placed) {
      process.nextTick(this.#waitingCallbacks.shift()!.callback);
    }
    if (this.#roomOwed && this.#length <= ROOM_BYTES) {
      this.#roomOwed = false;
      process.nextTick(this.#onRoom);
    }
  }

  #whenPlaced(callback: WriteCallback): void {
    if (this.holding || this.#length <= PIPE_BYTES) process.nextTick(callback);
    else this.#waitingCallbacks.push({ at: this.#accepted, callback });
  }

  #releaseFlushes(): void {
    const waiting = this.#waitingFlushes;
    this.#waitingFlushes = [];
    for (const resolve of waiting) resolve();
  }
}
