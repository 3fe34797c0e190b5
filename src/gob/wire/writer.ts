import { Fault } from "../errors.js";
import { lendSlab, takeBackSlab } from "./slab-pool.js";
import { asBytes, type Bytes, type InvalidUtf8, textBytes, wellFormed } from "./text.js";

const EMPTY = asBytes(Buffer.alloc(0));

/** The first slab is twice this. */
const MIN_SLAB = 512;
const MAX_SLAB = 1 << 16;
/** From this size on a message gets a block of its own, lent from the pool. */
const OWN_BLOCK = 1 << 15;
/** By how much the next large message may be longer than the last without being copied on the way. */
const SPARE = 256;
/** Room that is left in front of what is being written: the lengths of two large messages, whose size shows at their end. */
const HEADROOM = 8;

/** Room for three bytes a unit is made for strings up to this length; longer ones are measured first. */
const MAX_GUESSED = 4096;

/** Bytes that a length below 2^16 takes as an unsigned integer. */
function sizeOfLength(length: number): number {
  return length < 128 ? 1 : length < 256 ? 2 : 3;
}

const f64 = new Float64Array(1);
const f64Bytes = new Uint8Array(f64.buffer);
const u64 = new BigUint64Array(1);
const u64Words = new Uint32Array(u64.buffer);

/**
 * Appends gob's primitives to a slab. What was taken is never written again: a full slab is left to those who
 * hold parts of it, and a new one begun.
 */
export class Writer {
  buf: Bytes = EMPTY;
  /** The same slab, for floats. */
  view: DataView = new DataView(new ArrayBuffer(0));
  /** Where the untaken bytes begin. */
  start = 0;
  pos = 0;
  /** Nesting depth of the value being written. */
  depth = 0;
  maxDepth = 0;
  invalidUtf8: InvalidUtf8 = "refuse";
  #slab = MIN_SLAB;
  /** The first byte in front of `start` that may be written, too. */
  #floor = 0;
  /** The slab to go back to when the block of a large message is taken. */
  #home: { readonly buf: Bytes; readonly view: DataView; readonly pos: number } | undefined;
  /** What a message may take if it is like the last large one; fades as slabs go by without another. */
  #expected = 0;

  /** Makes room for n bytes more; may replace `buf`, and then moves `start` and `pos`. */
  ensure(n: number): void {
    if (this.pos + n > this.buf.length) this.#grow(n);
  }

  #grow(n: number): void {
    const kept = this.pos - this.start;
    const needed = HEADROOM + kept + n;
    let next: Buffer;
    if (needed > OWN_BLOCK) {
      // Twice what is pending keeps the copying linear.
      next = lendSlab(Math.max(needed, kept * 2, this.#expected));
      if (this.#home === undefined) this.#home = { buf: this.buf, view: this.view, pos: this.#floor };
      else takeBackSlab(this.buf);
      this.#expected >>= 1;
    } else {
      // Slabs grow with the traffic, so that a quiet stream holds little.
      this.#slab = Math.min(MAX_SLAB, Math.max(this.#slab * 2, kept * 2));
      next = Buffer.allocUnsafeSlow(Math.max(needed, this.#slab));
    }
    // With nothing pending, `start` may lie behind the end.
    if (kept > 0) this.buf.copy(next, HEADROOM, this.start, this.pos);
    this.#use(asBytes(next), new DataView(next.buffer, next.byteOffset, next.length), 0);
    this.pos += kept;
  }

  #use(buf: Bytes, view: DataView, from: number): void {
    this.buf = buf;
    this.view = view;
    this.#floor = from;
    this.start = from + HEADROOM;
    this.pos = this.start;
  }

  /** Moves everything up to `end` n bytes towards the front; false where there is no room. */
  moveBack(n: number, end: number): boolean {
    if (this.start - n < this.#floor) return false;
    this.buf.copyWithin(this.start - n, this.start, end);
    this.start -= n;
    return true;
  }

  /** Everything written since the last take, which now belongs to the caller. */
  take(): Buffer {
    const { buf, start, pos } = this;
    if (pos === start) return EMPTY;
    const taken = buf.subarray(start, pos);
    const home = this.#home;
    if (home === undefined) {
      this.#use(buf, this.view, pos);
      return taken;
    }
    this.#home = undefined;
    this.#use(home.buf, home.view, home.pos);
    if (taken.length > this.#expected) this.#expected = taken.length + SPARE;
    return taken;
  }

  /** An unsigned integer below 2^53. */
  uint(v: number): void {
    if (this.pos + 9 > this.buf.length) this.#grow(9);
    if (v < 128) this.buf[this.pos++] = v;
    else if (v <= 0xffffffff) this.#word(v);
    else this.words(Math.floor(v / 0x100000000), v >>> 0);
  }

  #word(v: number): void {
    const { buf } = this;
    let p = this.pos;
    if (v < 0x100) {
      buf[p++] = 0xff;
    } else if (v < 0x10000) {
      buf[p++] = 0xfe;
      buf[p++] = v >>> 8;
    } else if (v < 0x1000000) {
      buf[p++] = 0xfd;
      buf[p++] = v >>> 16;
      buf[p++] = v >>> 8;
    } else {
      buf[p++] = 0xfc;
      buf[p++] = v >>> 24;
      buf[p++] = v >>> 16;
      buf[p++] = v >>> 8;
    }
    buf[p++] = v;
    this.pos = p;
  }

  /** An unsigned integer from its 32-bit halves. */
  words(high: number, low: number): void {
    if (this.pos + 9 > this.buf.length) this.#grow(9);
    if (high === 0) {
      if (low < 128) this.buf[this.pos++] = low;
      else this.#word(low);
      return;
    }
    const { buf } = this;
    const n = high < 0x100 ? 5 : high < 0x10000 ? 6 : high < 0x1000000 ? 7 : 8;
    let p = this.pos;
    buf[p++] = 256 - n;
    for (let shift = (n - 5) * 8; shift >= 0; shift -= 8) buf[p++] = high >>> shift;
    buf[p++] = low >>> 24;
    buf[p++] = low >>> 16;
    buf[p++] = low >>> 8;
    buf[p++] = low;
    this.pos = p;
  }

  /** A signed integer that is safe: bit 0 is the sign, the rest its complement when negative. */
  int(v: number): void {
    if (v >= -0x40000000 && v < 0x40000000) {
      const u = v < 0 ? (~v << 1) | 1 : v << 1;
      if (u < 128) {
        if (this.pos >= this.buf.length) this.#grow(9);
        this.buf[this.pos++] = u;
      } else {
        if (this.pos + 9 > this.buf.length) this.#grow(9);
        this.#word(u >>> 0);
      }
      return;
    }
    const m = v < 0 ? -v - 1 : v;
    const high = Math.floor(m / 0x80000000);
    this.words(high, ((m % 0x80000000) * 2 + (v < 0 ? 1 : 0)) >>> 0);
  }

  /** An unsigned integer below 2^64. */
  bigUint(v: bigint): void {
    u64[0] = v;
    this.words(u64Words[1]!, u64Words[0]!);
  }

  /** A signed integer of 64 bits. */
  bigInt(v: bigint): void {
    u64[0] = v < 0n ? (~v << 1n) | 1n : v << 1n;
    this.words(u64Words[1]!, u64Words[0]!);
  }

  /** A float64: its bytes from the last one on, as an unsigned integer. */
  float(v: number): void {
    if (this.pos + 9 > this.buf.length) this.#grow(9);
    f64[0] = v;
    const { buf } = this;
    let skip = 0;
    while (skip < 7 && f64Bytes[skip] === 0) skip++;
    let p = this.pos;
    const first = f64Bytes[skip]!;
    if (skip < 7 || first >= 128) buf[p++] = 256 - (8 - skip);
    for (let i = skip; i < 8; i++) buf[p++] = f64Bytes[i]!;
    this.pos = p;
  }

  bytes(v: Uint8Array): void {
    this.uint(v.length);
    this.raw(v);
  }

  raw(v: Uint8Array): void {
    this.ensure(v.length);
    this.buf.set(v, this.pos);
    this.pos += v.length;
  }

  /** A string with its length in bytes. */
  string(v: string, policy: InvalidUtf8 = this.invalidUtf8): void {
    const { length } = v;
    if (length > MAX_GUESSED) {
      this.#longString(v, policy);
      return;
    }
    this.ensure(length * 3 + 3);
    // Taken for ASCII until its size in bytes says otherwise.
    const at = this.pos + sizeOfLength(length);
    const size = this.buf.utf8Write(v, at);
    if (size !== length) {
      if (!wellFormed(v)) {
        this.bytes(textBytes(v, policy));
        return;
      }
      const exact = this.pos + sizeOfLength(size);
      if (exact !== at) this.buf.copyWithin(exact, at, at + size);
    }
    this.uint(size);
    this.pos += size;
  }

  #longString(v: string, policy: InvalidUtf8): void {
    if (!wellFormed(v)) {
      this.bytes(textBytes(v, policy));
      return;
    }
    const size = Buffer.byteLength(v, "utf8");
    this.uint(size);
    this.ensure(size);
    this.pos += this.buf.utf8Write(v, this.pos);
  }

  /** Enters a nested value; the caller leaves it with `depth--`. */
  enter(): void {
    if (++this.depth > this.maxDepth)
      throw new Fault("ERR_GOB_LIMIT", "gob: value nested too deeply, or a cycle of values");
  }
}
