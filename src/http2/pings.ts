import type { Http2Error } from "./errors.js";
import { putU32, readU32 } from "./frame.js";

/** An answer has come, or with an error: none will. */
type OnAnswer = (error?: Http2Error) => void;

/** PINGs that the peer has not answered yet. */
export class Pings {
  readonly #send: (payload: Buffer) => void;
  readonly #unanswered = new Map<number, OnAnswer>();
  #count = 0;

  constructor(send: (payload: Buffer) => void) {
    this.#send = send;
  }

  /** Sends one. */
  ping(onAnswer: OnAnswer): void {
    const payload = Buffer.alloc(8);
    this.#count = (this.#count + 1) >>> 0;
    putU32(payload, 4, this.#count);
    this.#unanswered.set(this.#count, onAnswer);
    this.#send(payload);
  }

  /** Sends one, and resolves with the milliseconds that its answer took; rejects when the connection ends before. */
  roundTrip(): Promise<number> {
    const start = performance.now();
    return new Promise((resolve, reject) => {
      this.ping((error) => {
        if (error === undefined) resolve(performance.now() - start);
        else reject(error);
      });
    });
  }

  /** An answer has come; one to nothing is ignored. */
  pong(payload: Buffer): void {
    const number = readU32(payload, 4);
    const onAnswer = this.#unanswered.get(number);
    this.#unanswered.delete(number);
    onAnswer?.();
  }

  /** No answer will come any more. */
  end(error: Http2Error): void {
    for (const onAnswer of this.#unanswered.values()) onAnswer(error);
    this.#unanswered.clear();
  }
}
