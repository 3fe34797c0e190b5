import type { Connection } from "./connection.js";

/** The peer is not read from while so many bytes of output wait for it. */
const PAUSE_AT = 32 * 1024 * 1024;
/**
 * What is taken in one turn of the event loop, in bytes; beyond that the peer waits for the next turn, so that one that
 * sends without end holds up neither timers nor other connections.
 */
const TURN_WORK = 4 * 1024 * 1024;
/** A frame means as much work as this many bytes, whatever it carries. */
const FRAME_WORK = 1024;

/** Stops reading from the peer while it does not read itself, and for a turn of the event loop once it has had its share. */
export class ReadPauses {
  readonly #connection: Pick<Connection, "pause" | "resume">;
  readonly #writer: { readonly pending: number; readonly congested: boolean };
  #awaitsWriter = false;
  #awaitsTurn = false;
  /** What was taken since the peer last had to wait for a turn. */
  #work = 0;

  /** @param writer tells of the output that waits */
  constructor(
    connection: Pick<Connection, "pause" | "resume">,
    writer: { readonly pending: number; readonly congested: boolean },
  ) {
    this.#connection = connection;
    this.#writer = writer;
  }

  /** Input was taken: so many bytes, in so many frames. */
  took(bytes: number, frames: number): void {
    if (this.#writer.pending >= PAUSE_AT && this.#writer.congested && !this.#awaitsWriter) {
      this.#awaitsWriter = true;
      this.#connection.pause();
    }
    this.#work += bytes + frames * FRAME_WORK;
    if (this.#work >= TURN_WORK && !this.#awaitsTurn) {
      this.#work = 0;
      this.#awaitsTurn = true;
      this.#connection.pause();
      setImmediate(this.#nextTurn);
    }
  }

  /** The writer is congested no longer. */
  relieved(): void {
    if (!this.#awaitsWriter) return;
    this.#awaitsWriter = false;
    if (!this.#awaitsTurn) this.#connection.resume();
  }

  /** Reads on, whatever waits: for the connection's end to be told. */
  end(): void {
    this.#awaitsWriter = false;
    this.#connection.resume();
  }

  readonly #nextTurn = (): void => {
    this.#awaitsTurn = false;
    if (!this.#awaitsWriter) this.#connection.resume();
  };
}
