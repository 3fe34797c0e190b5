import { keepFreedMemory } from "../freed-memory.js";
import { HEADER_SIZE } from "./frame.js";
import type { Mux } from "./mux.js";
import type { FrameParser } from "./parser.js";

// Below this, one read more costs as much as the copy that it spares.
const DIRECT_FROM = 16_384;
// A block is left when less than this is free: reads that are too small cost more than the memory.
const BLOCK_SIZE = 131_072;
const LEAST_FREE = 32_768;

/**
 * Chooses the memory that a connection is read into next.
 *
 * The rest of a large payload goes straight to where its reader gathers it. After such a frame only the header of the next is
 * read, since that is most likely of the same value.
 *
 * Readers that want memory of their own get parts of blocks that are written once; what lies between the payloads is wasted.
 */
export class ReadTarget {
  readonly #parser: FrameParser;
  readonly #mux: Mux;
  readonly #header = Buffer.alloc(HEADER_SIZE);
  #wasDirect = false;
  /** What is free of the block that is being filled. */
  #free: Buffer | undefined;
  /** Whether the last read into the block brought enough for one more. */
  #isFilling = false;

  constructor(parser: FrameParser, mux: Mux) {
    this.#parser = parser;
    this.#mux = mux;
  }

  /** Undefined: any memory will do. */
  next(): Buffer | undefined {
    const left = this.#parser.payloadLeft;
    if (left >= DIRECT_FROM ? this.#mux.feedsParts : this.#isFilling) return this.#block();
    this.#free = undefined;
    this.#isFilling = false;
    const wasDirect = this.#wasDirect;
    this.#wasDirect = false;
    if (left >= DIRECT_FROM) {
      const room = this.#mux.room(left);
      if (room === undefined || room.length < DIRECT_FROM) return undefined;
      this.#wasDirect = true;
      return room.length > left ? room.subarray(0, left) : room;
    }
    const isNextWanted = wasDirect && this.#parser.atBoundary && this.#mux.wantsMore(DIRECT_FROM);
    return isNextWanted ? this.#header : undefined;
  }

  /** To be told of each chunk before it is parsed: whether its memory is written this once only. */
  isOwn(chunk: Buffer): boolean {
    const free = this.#free;
    if (free === undefined || chunk.buffer !== free.buffer) return false;
    this.#free = free.subarray(chunk.length);
    this.#isFilling = chunk.length >= DIRECT_FROM;
    return true;
  }

  #block(): Buffer {
    this.#wasDirect = false;
    if (this.#free === undefined || this.#free.length < LEAST_FREE) {
      keepFreedMemory(BLOCK_SIZE);
      this.#free = Buffer.allocUnsafeSlow(BLOCK_SIZE);
    }
    return this.#free;
  }
}
