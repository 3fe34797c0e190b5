import { Socket } from "node:net";
import type { Duplex } from "node:stream";

type Done = (error?: Error | null) => void;

/**
 * Lets a socket be read to its end after the peer has hung up. Node destroys a socket when a write fails, together
 * with everything that it has received and not read: what a peer sent last, before it left, would be lost whenever
 * something was being written at that moment. So such a failure is reported, and kept from the socket.
 */
export function surviveHangUp(conn: Duplex, onHangUp: (cause: Error) => void): void {
  if (!(conn instanceof Socket)) return;
  // A Writable has one write under way at a time.
  let pending: Done | undefined;
  const done: Done = (error) => {
    const callback = pending;
    pending = undefined;
    const code = (error as NodeJS.ErrnoException | null | undefined)?.code;
    if (error && (code === "EPIPE" || code === "ECONNRESET")) {
      onHangUp(error);
      callback?.();
    } else {
      callback?.(error);
    }
  };
  const write = conn._write;
  const writev = conn._writev;
  conn._write = (chunk: unknown, encoding: BufferEncoding, callback: Done): void => {
    // Bun's _writev goes through _write.
    if (callback !== done) pending = callback;
    write.call(conn, chunk, encoding, done);
  };
  if (writev) {
    conn._writev = (chunks: { chunk: unknown; encoding: BufferEncoding }[], callback: Done): void => {
      pending = callback;
      writev.call(conn, chunks, done);
    };
  }
}
