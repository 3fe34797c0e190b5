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

  /** A message has come that waits in the stream. */
  held(bytes: number): void {
    this.#sizes.push(bytes);
    this.#held += bytes;
  }

  /** The handler has taken a message that has waited. */
  taken(): void {
    this.#held -= this.#sizes.shift() ?? 0;
    this.#go();
  }

  #go(): void {
    if (!this.#wanted || this.#held >= AHEAD_BYTES) return;
    this.#wanted = false;
    this.#ask();
  }
}
