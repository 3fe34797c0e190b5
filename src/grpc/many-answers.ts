import { Invocation } from "./invocation.js";
import { MessageQueue } from "./message-queue.js";

/** Messages of a stream that are taken ahead of their reader. */
const AHEAD = 16;
/** Bytes of them: one more message is taken as long as they are fewer. */
const AHEAD_BYTES = 64 * 1024;

/** A call that has many answers; a few are taken ahead of their reader. */
export class ManyAnswers<Q, A> extends Invocation<Q, A> {
  readonly answers: MessageQueue<A> = new MessageQueue(
    () => {
      this.#held -= this.#sizes.shift()!;
      this.#ask();
    },
    () => this.leave(),
  );
  /** Bytes of the messages that wait for the reader, one by one and together. */
  readonly #sizes: number[] = [];
  #held = 0;
  #asked = false;

  protected begun(): void {
    this.#ask();
  }

  protected answered(answer: A, bytes: number): void {
    this.#asked = false;
    this.#sizes.push(bytes);
    this.#held += bytes;
    this.answers.push(answer);
    this.#ask();
  }

  /** For one message at a time: nobody knows how large the next is. */
  #ask(): void {
    if (this.#asked || this.#sizes.length >= AHEAD || this.#held >= AHEAD_BYTES) return;
    this.#asked = true;
    this.call?.read();
  }

  protected ended(error: Error | undefined): void {
    this.answers.end(error);
  }
}
