import { INITIAL_WINDOW } from "./config.js";
import { YamuxError } from "./errors.js";

/** What a window that grows ends at, in multiples of its configured size. */
const MOST_GROWTH = 4;

/** The flow-control windows of one stream, in bytes (spec.md, "Flow Control"; stream.go). */
export class Windows {
  /** What may still be sent before the peer gives more credit. */
  send = INITIAL_WINDOW;
  /** What the peer may still send. */
  #receive = INITIAL_WINDOW;
  /** What the peer may have under way, unread bytes included; and at most. */
  #size: number;
  readonly #largest: number;
  /** All credit that the peer has given, and that it was given. */
  #credit = INITIAL_WINDOW;
  #granted = INITIAL_WINDOW;

  /**
   * @param size what the peer may have under way at first, unread bytes included
   * @param grows whether that doubles, up to four times, each time the reader has taken everything when credit is due:
   * a peer that has to wait for each credit stands still for as long as it is on its way
   */
  constructor(size: number, grows: boolean) {
    this.#size = size;
    this.#largest = grows ? size * MOST_GROWTH : size;
  }

  /** @throws YamuxError ERR_YAMUX_SEND_WINDOW_OVERFLOW when the window would no longer fit the 32 bits it has in Go */
  addCredit(delta: number): void {
    this.send += delta;
    this.#credit += delta;
    if (this.send > 0xffff_ffff) throw new YamuxError("ERR_YAMUX_SEND_WINDOW_OVERFLOW");
  }

  /** @throws YamuxError ERR_YAMUX_RECV_WINDOW_EXCEEDED when a data frame is longer than the window */
  expect(length: number): void {
    if (length > this.#receive) throw new YamuxError("ERR_YAMUX_RECV_WINDOW_EXCEEDED");
  }

  /** Bytes sent up to now: what is used of the credit. */
  get sentBytes(): number {
    return this.#credit - this.send;
  }

  /** Bytes that have arrived up to now. */
  get receivedBytes(): number {
    return this.#granted - this.#receive;
  }

  received(length: number): void {
    this.#receive -= length;
  }

  /** The credit that goes with a SYN or ACK: the window is as large as it may be from then on. */
  open(unread: number): number {
    const delta = this.#size - unread - this.#receive;
    this.#receive += delta;
    this.#granted += delta;
    return delta;
  }

  /** The credit for what the reader has consumed, once it is half of the window (Go: sendWindowUpdate); until then 0. */
  reopen(unread: number): number {
    if (this.#size - unread - this.#receive < this.#size >>> 1) return 0;
    if (unread === 0 && this.#size < this.#largest) this.#size *= 2;
    return this.open(unread);
  }
}
