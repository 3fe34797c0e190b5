/** A line, or a piece of one that is longer than the splitter's buffer. */
export interface LinePiece {
  /** Without the line break. Valid only until the next piece is taken. */
  bytes: Buffer;
  /** True when the line goes on in the next piece (Go: bufio's ReadLine isPrefix). */
  isPrefix: boolean;
}

/**
 * Splits a byte stream into lines at `\n`, dropping one `\r` before it; a line longer than the buffer comes in pieces,
 * as from Go's bufio.Reader.ReadLine.
 */
export class LineSplitter {
  readonly #buffer: Buffer;
  #length = 0;

  /** @param size - bytes of the longest piece */
  constructor(size: number) {
    this.#buffer = Buffer.allocUnsafe(size);
  }

  *push(chunk: Buffer): Generator<LinePiece, void, undefined> {
    let at = 0;
    while (at < chunk.length) {
      const end = chunk.indexOf(0x0a, at);
      const stop = end === -1 ? chunk.length : end;
      while (stop - at > this.#room()) {
        const taken = this.#room();
        this.#keep(chunk, at, at + taken);
        at += taken;
        yield { bytes: this.#take(), isPrefix: true };
      }
      this.#keep(chunk, at, stop);
      at = stop;
      if (end === -1) return;
      at = end + 1;
      yield { bytes: trimReturn(this.#take()), isPrefix: false };
    }
  }

  /** The last line when it had no line break. */
  *end(): Generator<LinePiece, void, undefined> {
    if (this.#length > 0) yield { bytes: trimReturn(this.#take()), isPrefix: false };
  }

  #room(): number {
    return this.#buffer.length - this.#length;
  }

  #keep(chunk: Buffer, from: number, to: number): void {
    chunk.copy(this.#buffer, this.#length, from, to);
    this.#length += to - from;
  }

  #take(): Buffer {
    const bytes = this.#buffer.subarray(0, this.#length);
    this.#length = 0;
    return bytes;
  }
}

function trimReturn(bytes: Buffer): Buffer {
  return bytes.at(-1) === 0x0d ? bytes.subarray(0, -1) : bytes;
}
