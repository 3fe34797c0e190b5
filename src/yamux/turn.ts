import type { Duplex } from "node:stream";

// What a session takes before it lets others have their turn: Node reads a socket up to 32 times in a row, 64 KiB each or more.
// A frame counts for more than its bytes, because it costs more.
const TURN_BYTES = 262_144;
const FRAME_COST = 64;

/** Stops reading a connection for one round of the event loop each time that much has been taken from it. */
export class Turn {
  readonly #conn: Duplex;
  #taken = 0;

  constructor(conn: Duplex) {
    this.#conn = conn;
  }

  took(bytes: number, frames: number): void {
    this.#taken += bytes + frames * FRAME_COST;
    if (this.#taken < TURN_BYTES) return;
    this.#taken = 0;
    this.#conn.pause();
    setImmediate(this.#goOn);
  }

  readonly #goOn = (): void => {
    this.#conn.resume();
  };
}
