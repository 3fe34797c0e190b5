import type { ByteChannel, ByteChannelHandler } from "../../../src/netrpc/index.js";

/** A connection whose other side is the test: it feeds bytes, and sees what is written. */
export class ScriptedChannel implements ByteChannel {
  #handler!: ByteChannelHandler;
  readonly writes: Buffer[] = [];
  /** What write() returns. */
  room = true;
  ended = false;
  closed = false;
  paused = false;
  #held: Buffer[] = [];

  get written(): Buffer {
    return Buffer.concat(this.writes);
  }

  feed(bytes: Buffer): void {
    if (this.paused) {
      this.#held.push(bytes);
      return;
    }
    // Lent memory: whoever keeps it without a copy is found out.
    const lent = Buffer.from(bytes);
    this.#handler.onData(lent);
    lent.fill(0xee);
  }

  /** The peer half-closes. */
  finish(): void {
    this.#handler.onEnd();
  }

  drain(): void {
    this.room = true;
    this.#handler.onDrain?.();
  }

  attach(handler: ByteChannelHandler): void {
    this.#handler = handler;
  }

  write(chunk: Uint8Array): boolean {
    this.writes.push(Buffer.from(chunk));
    return this.room;
  }

  end(): void {
    this.ended = true;
  }

  destroy(error?: Error): void {
    if (this.closed) return;
    this.closed = true;
    queueMicrotask(() => this.#handler.onClose(error));
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    for (const bytes of this.#held.splice(0)) this.feed(bytes);
  }
}

/** Lets everything that is due happen. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
}
