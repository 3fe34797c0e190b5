import { HEADER_SIZE } from "./frame.js";
import type { Mux } from "./mux.js";
import type { FrameParser } from "./parser.js";

// Below this, one read more costs as much as the copy that it spares.
const DIRECT_FROM = 16_384;

/**
 * Chooses the memory that a connection is read into next: the rest of a large payload goes straight to where its
 * reader gathers it. After such a frame only the header of the next is read, since that is most likely of the same value.
 */
export class ReadTarget {
  readonly #parser: FrameParser;
  readonly #mux: Mux;
  readonly #header = Buffer.alloc(HEADER_SIZE);
  #wasDirect = false;

  constructor(parser: FrameParser, mux: Mux) {
    this.#parser = parser;
    this.#mux = mux;
  }

  /** Undefined: any memory will do. */
  next(): Buffer | undefined {
    const left = this.#parser.payloadLeft;
    if (left >= DIRECT_FROM) {
      const room = this.#mux.room(left);
      if (room !== undefined && room.length >= DIRECT_FROM) {
        this.#wasDirect = true;
        return room.length > left ? room.subarray(0, left) : room;
      }
    } else if (this.#wasDirect && this.#parser.atBoundary && this.#mux.wantsMore(DIRECT_FROM)) {
      this.#wasDirect = false;
      return this.#header;
    }
    this.#wasDirect = false;
    return undefined;
  }
}
