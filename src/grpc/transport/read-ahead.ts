import type { Readable } from "node:stream";

/** Bytes of messages that wait for a handler: one more is asked for as long as they are fewer. */
const AHEAD_BYTES = 64 * 1024;

/**
 * How far a server's call reads ahead of its handler. A stream of objects counts messages, whatever their size: without this
 * 16 of them would wait for a handler that does not read, be they of 4 MiB each.
 */
export class ReadAhead {
  readonly #ask: () => void;
  readonly #sizes: number[] = [];
  #held = 0;
  #wanted = false;

  /** @param ask asks for one more message */
  constructor(ask: () => void) {
    this.#ask = ask;
  }

  /** The stream has room for one more message. */
  want(): void {
    this.#wanted = true;
    this.#go();
  }

  /** Gives the stream a message that was so many bytes; a flowing one hands it on at once. */
  push(stream: Readable, message: unknown, bytes: number): void {
    const before = stream.readableLength;
    stream.push(message);
    if (stream.readableLength === before) return;
    this.#sizes.push(bytes);
    this.#held += bytes;
  }

  /** @param message what the stream's `read` has given: one that has waited, if any */
  taken(message: unknown): void {
    if (message === null) return;
    this.#held -= this.#sizes.shift() ?? 0;
    this.#go();
  }

  #go(): void {
    if (!this.#wanted || this.#held >= AHEAD_BYTES) return;
    this.#wanted = false;
    this.#ask();
  }
}
