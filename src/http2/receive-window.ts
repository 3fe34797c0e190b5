/** Bytes that the peer may send on all streams together, ahead of what this side has read from the connection. */
export const CONNECTION_WINDOW = 16 * 1024 * 1024;

/** The flow-control window of what the peer sends, in bytes: a stream's, or the connection's (RFC 9113, section 5.2). */
export class ReceiveWindow {
  readonly #size: number;
  /** What the peer may still send. */
  #open: number;
  /** What has come and was not consumed yet. */
  #unread = 0;

  constructor(size: number) {
    this.#size = size;
    this.#open = size;
  }

  /** So much has come. False, and nothing is taken, if it is more than was allowed, and `excess` beyond that. */
  take(length: number, excess = 0): boolean {
    if (length > this.#open + excess) return false;
    this.#open -= length;
    this.#unread += length;
    return true;
  }

  consumed(bytes: number): void {
    this.#unread -= bytes;
  }

  /** What the peer is to be told that it may send more; until that is half of the window 0, not each piece by itself. */
  reopen(): number {
    const delta = this.#size - this.#unread - this.#open;
    if (delta < this.#size >>> 1) return 0;
    this.#open += delta;
    return delta;
  }
}
