import { Fault } from "../errors.js";
import { asBytes, type Bytes, type InvalidUtf8, readText } from "./text.js";

/** Shorter byte values are copied even when they are most of their memory: a part of a Buffer costs as much. */
const KEPT_AS_IS = 4096;
/** Shorter ones share Node's pool of small Buffers. */
const POOLED = 1024;

const f64 = new Float64Array(1);
const f64Bytes = new Uint8Array(f64.buffer);
const u64 = new BigUint64Array(1);
const u64Words = new Uint32Array(u64.buffer);

export function corrupt(text: string, detail?: string): Fault {
  return new Fault("ERR_GOB_CORRUPT", text, { detail });
}

/** Go's errRange of decode.go. */
export const badField = (): Fault => corrupt("gob: bad data: field numbers out of bounds");
/** Reading on where a message ends gives Go's io.EOF. */
export const messageEnded = (): Fault => corrupt("EOF");

/** Reads gob's primitives from one message: buf[pos, end). */
export class Reader {
  buf: Bytes = asBytes(Buffer.alloc(0));
  pos = 0;
  end = 0;
  /** The buffer will be reused by its owner: nothing handed out may refer to it. */
  borrowed = true;
  depth = 0;
  maxDepth = 0;
  /** Estimated bytes that the value may still allocate. */
  budget = 0;
  invalidUtf8: InvalidUtf8 = "refuse";
  /** The halves of the last integer that `words` read. */
  high = 0;
  low = 0;

  /** An unsigned integer; beyond 2^53 the result is rounded, which suits lengths and field numbers. */
  uint(): number {
    const { pos } = this;
    if (pos >= this.end) throw messageEnded();
    const first = this.buf[pos]!;
    if (first < 128) {
      this.pos = pos + 1;
      return first;
    }
    this.words();
    return this.high * 0x100000000 + this.low;
  }

  /** Reads an unsigned integer into `high` and `low`. */
  words(): void {
    const { buf } = this;
    let p = this.pos;
    if (p >= this.end) throw messageEnded();
    const first = buf[p++]!;
    if (first < 128) {
      this.high = 0;
      this.low = first;
      this.pos = p;
      return;
    }
    const n = 256 - first;
    if (n > 8) throw corrupt("gob: encoded unsigned integer out of range");
    const left = this.end - p;
    if (n > left) throw corrupt(`gob: invalid uint data length ${n}: exceeds input size ${left}`);
    let high = 0;
    let low = 0;
    const stop = p + n;
    for (const split = stop - 4; p < split; p++) high = (high << 8) | buf[p]!;
    for (; p < stop; p++) low = (low << 8) | buf[p]!;
    this.high = high >>> 0;
    this.low = low >>> 0;
    this.pos = p;
  }

  /** A signed integer; beyond 2^53 the result is rounded: `safeInt` refuses that. */
  int(): number {
    const { pos } = this;
    if (pos >= this.end) throw messageEnded();
    const first = this.buf[pos]!;
    if (first < 128) {
      this.pos = pos + 1;
      return first & 1 ? ~(first >> 1) : first >> 1;
    }
    this.words();
    const m = this.high * 0x80000000 + (this.low >>> 1);
    return this.low & 1 ? -m - 1 : m;
  }

  bigUint(): bigint {
    this.words();
    u64Words[0] = this.low;
    u64Words[1] = this.high;
    return u64[0]!;
  }

  bigInt(): bigint {
    const u = this.bigUint();
    return u & 1n ? ~(u >> 1n) : u >> 1n;
  }

  float(): number {
    const { buf } = this;
    let p = this.pos;
    if (p >= this.end) throw messageEnded();
    const first = buf[p++]!;
    if (first < 128) {
      f64[0] = 0;
      f64Bytes[7] = first;
      this.pos = p;
      return f64[0];
    }
    const n = 256 - first;
    if (n > 8) throw corrupt("gob: encoded unsigned integer out of range");
    const left = this.end - p;
    if (n > left) throw corrupt(`gob: invalid uint data length ${n}: exceeds input size ${left}`);
    f64[0] = 0;
    for (let i = 8 - n; i < 8; i++) f64Bytes[i] = buf[p++]!;
    this.pos = p;
    return f64[0];
  }

  /** A length that must fit in what is left of the message; `what` names it in the error. */
  length(what: string): number {
    const n = this.uint();
    if (n > this.end - this.pos)
      throw corrupt(`gob: ${what} length ${n}: exceeds input size ${this.end - this.pos}`);
    return n;
  }

  string(policy: InvalidUtf8 = this.invalidUtf8): string {
    const n = this.length("invalid string");
    const start = this.pos;
    this.pos = start + n;
    return n === 0 ? "" : readText(this.buf, start, this.pos, policy);
  }

  /** Bytes that the caller may keep. */
  bytes(): Buffer {
    const n = this.length("bad []uint8 slice");
    const start = this.pos;
    this.pos = start + n;
    return this.keep(start, this.pos);
  }

  /** buf[start, end) for keeps: a part that is most of its memory is handed out as it is, any other copied. */
  keep(start: number, end: number): Buffer {
    const n = end - start;
    if (!this.borrowed && n >= KEPT_AS_IS && n * 2 >= this.buf.buffer.byteLength)
      return this.buf.subarray(start, end);
    const copy = n < POOLED ? Buffer.allocUnsafe(n) : Buffer.allocUnsafeSlow(n);
    this.buf.copy(copy, 0, start, end);
    return copy;
  }

  skipBytes(): void {
    const n = this.length("invalid slice");
    this.pos += n;
  }

  /** Enters a nested value; the caller leaves it with `depth--`. */
  enter(): void {
    if (++this.depth > this.maxDepth) throw new Fault("ERR_GOB_LIMIT", "gob: invalid nesting depth");
  }

  /** Takes the estimated bytes of an allocation off the budget, before it is made. */
  charge(bytes: number): void {
    this.budget -= bytes;
    if (this.budget < 0)
      throw new Fault("ERR_GOB_LIMIT", "gob: value needs more memory than its size on the wire allows");
  }
}
