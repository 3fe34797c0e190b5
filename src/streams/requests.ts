import { StreamError } from "./errors.js";

// Go's encoding/binary: a signed varint is zigzag, in groups of 7 bits from the lowest, at most 10 bytes.
const MAX_BYTES = 10;

/** A request for n bytes, as Go's binary.PutVarint writes it. */
export function putRequest(n: number): Buffer {
  const bytes: number[] = [];
  let rest = BigInt(n) * 2n;
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}

/** Reads the requests of a peer, cut in any way. */
export class RequestReader {
  #value = 0n;
  #length = 0;

  /**
   * The bytes that the requests in a chunk ask for, in all. One that asks for nothing, or less, counts as none, as
   * Go's io.LimitReader takes it.
   * @throws StreamError ERR_STREAM_BAD_REQUEST
   */
  push(chunk: Uint8Array): number {
    let asked = 0;
    for (const byte of chunk) {
      this.#value |= BigInt(byte & 0x7f) << BigInt(7 * this.#length++);
      if (byte < 0x80) {
        if (this.#value >= 1n << 64n) throw overflow();
        // Odd ones are negative. What is beyond 2^53 will not be there to be sent.
        if ((this.#value & 1n) === 0n) asked += Number(this.#value >> 1n);
        this.#value = 0n;
        this.#length = 0;
      } else if (this.#length === MAX_BYTES) {
        throw overflow();
      }
    }
    return asked;
  }
}

function overflow(): StreamError {
  return new StreamError("ERR_STREAM_BAD_REQUEST", "a request for bytes is no varint of 64 bits");
}
