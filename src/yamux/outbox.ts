import type { Windows } from "./windows.js";

/** What an outbox sends by. */
export interface OutboxSender {
  readonly windows: Windows;
  /** Sends bytes that the window has room for. */
  transmit(bytes: Uint8Array): void;
  /** Calls back once the payload of this length that was sent last is referred to no more. */
  whenFree(length: number, free: () => void): void;
}

/** A chunk that was given to write(), and what of it the window has had no room for. */
interface Waiting {
  left: Uint8Array;
  readonly length: number;
  readonly free: (() => void) | undefined;
}

/** Written chunks for which the peer's window has no room yet, in their order. */
export class Outbox {
  readonly #chunks: Waiting[] = [];

  get isEmpty(): boolean {
    return this.#chunks.length === 0;
  }

  add(chunk: Uint8Array, free: (() => void) | undefined): void {
    this.#chunks.push({ left: chunk, length: chunk.length, free });
  }

  clear(): void {
    this.#chunks.length = 0;
  }

  /** Sends as much as the window has room for, the front of a chunk, too. */
  pump(sender: OutboxSender): void {
    const { windows } = sender;
    const chunks = this.#chunks;
    let sent = 0;
    while (sent < chunks.length && windows.send > 0) {
      const waiting = chunks[sent]!;
      const { left, length, free } = waiting;
      if (left.length <= windows.send) {
        sender.transmit(left);
        if (free !== undefined) sender.whenFree(length, free);
        sent++;
      } else {
        const room = windows.send;
        waiting.left = left.subarray(room);
        sender.transmit(left.subarray(0, room));
      }
    }
    if (sent > 0) chunks.splice(0, sent);
  }
}
