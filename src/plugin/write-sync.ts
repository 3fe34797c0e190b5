import { writeSync } from "node:fs";

/** Milliseconds between two tries on a pipe that is full. */
export const RETRY_MS = 2;

/** Whether a write failed for now, as the pipe is full. */
export function isFull(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "EAGAIN" || code === "EINTR";
}

/** Blocks the thread. */
export function sleepSync(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

/**
 * Writes all bytes to a file descriptor before it returns, past any stream of Node's. A pipe that another part of the
 * process has made non-blocking may be full: then it blocks the thread and tries again, for `timeoutMs` at most.
 * Returns false if the reader did not come in time or is gone; never throws for those.
 */
export function writeFully(fd: number, data: string | Uint8Array, timeoutMs: number): boolean {
  const bytes = typeof data === "string" ? Buffer.from(data) : data;
  const deadline = Date.now() + timeoutMs;
  let at = 0;
  while (at < bytes.length) {
    try {
      at += writeSync(fd, bytes, at, bytes.length - at);
    } catch (error) {
      if (!isFull(error) || Date.now() >= deadline) return false;
      sleepSync(RETRY_MS);
    }
  }
  return true;
}
