/** Keeps the last bytes of a stream: what an error message shows of a plugin's stderr. */
export class Tail {
  readonly #limit: number;
  #chunks: Buffer[] = [];
  #size = 0;

  /** @param limit - bytes kept */
  constructor(limit: number) {
    this.#limit = limit;
  }

  push(chunk: Buffer): void {
    // A copy: a small chunk may be a view of a large pooled buffer.
    const kept = Buffer.from(chunk.length > this.#limit ? chunk.subarray(chunk.length - this.#limit) : chunk);
    this.#chunks.push(kept);
    this.#size += kept.length;
    while (this.#size - this.#chunks[0]!.length >= this.#limit) this.#size -= this.#chunks.shift()!.length;
    if (this.#chunks.length > 1024) this.#chunks = [Buffer.concat(this.#chunks)];
  }

  /** The kept bytes as text, broken UTF-8 replaced. */
  toString(): string {
    const all = Buffer.concat(this.#chunks);
    return all.subarray(Math.max(0, all.length - this.#limit)).toString("utf8");
  }
}
