const SMALLEST_BLOCK = 1024;
const LARGEST_BLOCK = 65_536;
// Below this a chunk is copied even where it could be kept: many small views cost more than their bytes.
const KEEP_FROM = 4096;

/**
 * Received bytes that nobody has taken yet. Small chunks are gathered in blocks, and a chunk is kept by reference only
 * if it makes up most of the memory it belongs to, so that the queue never holds much more than its bytes.
 */
export class ByteQueue {
  #blocks: Buffer[] = [];
  // The block being filled, behind #blocks; bytes 0..#tailUsed are valid.
  #tail: Buffer | undefined;
  #tailUsed = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Appends; `mayKeep` allows holding on to the chunk instead of copying it. */
  push(chunk: Buffer, mayKeep: boolean): void {
    this.#length += chunk.length;
    if (mayKeep && chunk.length >= KEEP_FROM && chunk.length * 2 >= chunk.buffer.byteLength) {
      this.#seal();
      this.#blocks.push(chunk);
      return;
    }
    let offset = 0;
    while (offset < chunk.length) {
      this.#tail ??= this.#block(chunk.length - offset);
      const taken = Math.min(chunk.length - offset, this.#tail.length - this.#tailUsed);
      chunk.copy(this.#tail, this.#tailUsed, offset, offset + taken);
      this.#tailUsed += taken;
      offset += taken;
      if (this.#tailUsed === this.#tail.length) this.#seal();
    }
  }

  /** Puts a copy of bytes back in front. */
  unshift(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#length += chunk.length;
    this.#blocks.unshift(Buffer.from(chunk));
  }

  /** Takes some bytes from the front; undefined when there are none. They are the caller's own. */
  shift(): Buffer | undefined {
    if (this.#blocks.length === 0) this.#seal();
    const block = this.#blocks.shift();
    if (block !== undefined) this.#length -= block.length;
    return block;
  }

  clear(): void {
    this.#blocks = [];
    this.#tail = undefined;
    this.#tailUsed = 0;
    this.#length = 0;
  }

  #seal(): void {
    if (this.#tail !== undefined) this.#blocks.push(this.#tail.subarray(0, this.#tailUsed));
    this.#tail = undefined;
    this.#tailUsed = 0;
  }

  #block(needed: number): Buffer {
    const size = Math.max(SMALLEST_BLOCK, needed, Math.min(this.#length, LARGEST_BLOCK));
    return Buffer.allocUnsafeSlow(Math.min(size, LARGEST_BLOCK));
  }
}
