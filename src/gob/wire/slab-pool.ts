import { keepFreedMemory } from "../../freed-memory.js";

/** Smallest and largest block: 64 KiB and 2 MiB, each with room for what goes before and after a value of that size. */
const SMALLEST = 16;
const LARGEST = 21;
const MARGIN = 4096;
/** Blocks of each size that are kept for later messages: a bound on what all encoders of a process hold. */
const KEPT = 2;

const free: Buffer[][] = Array.from({ length: LARGEST - SMALLEST + 1 }, () => []);
// On the memory itself: what is in a WeakMap lives until the old generation is collected.
const LENT = Symbol("lent");
type Lendable = ArrayBufferLike & { [LENT]?: Buffer | undefined };

/**
 * Memory for a large message, from a pool that all encoders share. The system clears each page of fresh memory before it
 * can be written, and the garbage collector runs the more often the more of it is made; a block used again costs neither.
 */
export function lendSlab(least: number): Buffer {
  for (let size = SMALLEST; size <= LARGEST; size++) {
    const bytes = 2 ** size + MARGIN;
    if (bytes < least) continue;
    keepFreedMemory(bytes);
    const slab = free[size - SMALLEST]!.pop() ?? Buffer.allocUnsafeSlow(bytes);
    (slab.buffer as Lendable)[LENT] = slab;
    return slab;
  }
  return Buffer.allocUnsafeSlow(least);
}

/** Takes back the block that these bytes are a part of; with other memory it does nothing. */
export function takeBackSlab(bytes: Uint8Array): void {
  const memory: Lendable = bytes.buffer;
  const slab = memory[LENT];
  if (slab === undefined) return;
  memory[LENT] = undefined;
  const kept = free[Math.log2(slab.length - MARGIN) - SMALLEST]!;
  if (kept.length < KEPT) kept.push(slab);
}
