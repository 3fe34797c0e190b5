/** Blocks from this size on are worth some care. */
export const LARGE = 1 << 18;

// Below glibc's highest threshold (32 MiB); twice of it is more than V8 lets dead buffers grow to before it frees them.
const LARGEST_FREED = 20 << 20;

let asked = false;

/**
 * Has the C library keep the memory of large buffers that were freed, for the next ones. It gives back to the system
 * what lies at the end of its heap as soon as that is more than twice the largest block that was ever freed (mallopt(3),
 * "dynamic mmap threshold"); after each collection of garbage, every page of the next buffers would have to be cleared anew.
 * So a block is made that nobody touches, which takes no memory, and freed.
 */
export function keepFreedMemory(): void {
  if (asked || process.platform !== "linux") return;
  asked = true;
  try {
    Buffer.allocUnsafeSlow(LARGEST_FREED);
  } catch {
    // The process has a limit on its addresses, and goes on without.
  }
}
