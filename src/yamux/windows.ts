import { INITIAL_WINDOW } from "./config.js";
import { YamuxError } from "./errors.js";

/** The flow-control windows of one stream, in bytes (spec.md, "Flow Control"; stream.go). */
export class Windows {
  /** What may still be sent before the peer gives more credit. */
  send = INITIAL_WINDOW;
  /** What the peer may still send. */
  #receive = INITIAL_WINDOW;
  readonly #max: number;

  /** @param max what the peer may have under way at most, unread bytes included */
  constructor(max: number) {
    this.#max = max;
  }

  /** @throws YamuxError ERR_YAMUX_SEND_WINDOW_OVERFLOW when the window would no longer fit the 32 bits it has in Go */
  addCredit(delta: number): void {
    this.send += delta;
    if (this.send > 0xffff_ffff) throw new YamuxError("ERR_YAMUX_SEND_WINDOW_OVERFLOW");
  }

  /** @throws YamuxError ERR_YAMUX_RECV_WINDOW_EXCEEDED when a data frame is longer than the window */
  expect(length: number): void {
    if (length > this.#receive) throw new YamuxError("ERR_YAMUX_RECV_WINDOW_EXCEEDED");
  }

  received(length: number): void {
    this.#receive -= length;
  }

  /** The credit that goes with a SYN or ACK: the window is as large as it may be from then on. */
  open(unread: number): number {
    const delta = this.#max - unread - this.#receive;
    this.#receive += delta;
    return delta;
  }

  /** The credit for what the reader has consumed, once it is half of the window (Go: sendWindowUpdate); until then 0. */
  reopen(unread: number): number {
    const delta = this.#max - unread - this.#receive;
    if (delta < this.#max >>> 1) return 0;
    this.#receive += delta;
    return delta;
  }
}
