// A connection in memory, and frames as values, for the fuzzing of sessions.
import { HEADER_SIZE, putHeader, readU32 } from "../../../src/http2/frame.js";
import type { Connection } from "../../../src/http2/index.js";

type Handler = Parameters<Connection["attach"]>[0];

/** What the session writes is kept, or passed on; what comes in is for the test to say. */
export class Wire implements Connection {
  readonly copies = false;
  readonly sent: Buffer[] = [];
  /** Where what is written goes at once. */
  onSent: (bytes: Buffer) => void = () => {};
  onEnd: () => void = () => {};
  #handler: Handler | undefined;
  #held: [Buffer, boolean][] = [];
  #paused = false;
  #closed = false;

  attach(handler: Handler): void {
    this.#handler = handler;
  }

  write(chunks: readonly Uint8Array[], taken: () => void): boolean {
    if (this.#closed) return false;
    const bytes = Buffer.concat(chunks);
    this.sent.push(bytes);
    this.onSent(bytes);
    queueMicrotask(() => {
      if (!this.#closed) taken();
    });
    return true;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    for (const [chunk, mayKeep] of this.#held.splice(0)) this.push(chunk, mayKeep);
  }

  end(): void {
    this.onEnd();
  }

  destroy(): void {
    this.close();
  }

  /** Brings a piece of input. What may not be kept is overwritten afterwards. */
  push(chunk: Buffer, mayKeep: boolean): void {
    if (this.#closed) return;
    if (this.#paused) {
      this.#held.push([chunk, mayKeep]);
      return;
    }
    const given = Buffer.from(chunk);
    this.#handler!.onData(given, mayKeep);
    if (!mayKeep) given.fill(0xee);
  }

  /** The connection is lost. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    queueMicrotask(() => this.#handler!.onClose());
  }
}

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly id: number;
  readonly payload: Buffer;
  /** What the header says instead of the payload's length. */
  readonly length?: number | undefined;
}

export function encode({ type, flags, id, payload, length = payload.length }: Frame): Buffer {
  const bytes = Buffer.alloc(HEADER_SIZE + payload.length);
  putHeader(bytes, 0, length, type, flags, id);
  bytes.set(payload, HEADER_SIZE);
  return bytes;
}

/** The whole frames of a session's output, which begins with them. */
export function decode(bytes: Buffer): Frame[] {
  const frames: Frame[] = [];
  for (let at = 0; at + HEADER_SIZE <= bytes.length; ) {
    const length = bytes.readUIntBE(at, 3);
    const payload = bytes.subarray(at + HEADER_SIZE, at + HEADER_SIZE + length);
    frames.push({ type: bytes[at + 3]!, flags: bytes[at + 4]!, id: readU32(bytes, at + 5), payload });
    at += HEADER_SIZE + length;
  }
  return frames;
}

/** Cuts bytes into pieces of the given sizes, again and again. */
export function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes.length === 0 ? bytes.length : sizes[i % sizes.length]!;
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}

export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
