import type { Duplex } from "node:stream";
import { startPatientTimer } from "./patient-timer.js";

// What a peer sent before it hung up is in the kernel. Its end comes with it; where it does not, the session ends once
// nothing has come for this long, or so many times as long after the hang-up.
const HANG_UP_GRACE = 1000;
const HANG_UP_ROUNDS = 10;

// How long a peer may take to end its side once this side has, before the connection is destroyed.
const LINGER = 250;

/** How a session lets go of its connection. Each step has a limit. */
export class ConnectionEnd {
  readonly #conn: Duplex;
  readonly #writeTimeout: number;
  #stopTimer: (() => void) | undefined;
  #isAwaited = false;

  /** @param writeTimeout milliseconds that a peer that does not read gets */
  constructor(conn: Duplex, writeTimeout: number) {
    this.#conn = conn;
    this.#writeTimeout = writeTimeout;
  }

  /**
   * The peer has hung up: what it sent before is read, up to its end.
   * @param received how much has been received so far
   * @param overdue called when the end does not come
   */
  await(received: () => number, overdue: () => void): void {
    if (this.#isAwaited) return;
    this.#isAwaited = true;
    this.#await(received, overdue, HANG_UP_ROUNDS);
  }

  #await(received: () => number, overdue: () => void, rounds: number): void {
    const before = received();
    this.#in(HANG_UP_GRACE, () => {
      if (received() > before && rounds > 1) this.#await(received, overdue, rounds - 1);
      else overdue();
    });
  }

  /** Writes out what was handed over, and ends the connection. */
  close(): void {
    const conn = this.#conn;
    this.#stopTimer?.();
    if (conn.destroyed || conn.writableFinished) {
      conn.destroy();
      return;
    }
    // A peer that does not read must not keep the connection alive.
    this.#in(this.#writeTimeout, () => conn.destroy());
    conn.end(() => {
      // The peer answers the end with its own. To close at once, with its last frames unread, would have TCP
      // reset the connection, and the peer lose what it has not read yet.
      this.#in(LINGER, () => conn.destroy());
    });
  }

  /** The connection is gone. */
  done(): void {
    this.#stopTimer?.();
  }

  #in(milliseconds: number, action: () => void): void {
    this.#stopTimer?.();
    this.#stopTimer = startPatientTimer(milliseconds, milliseconds, action);
  }
}
