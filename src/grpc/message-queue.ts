/** Messages that have arrived, for one reader, and how they end. */
export class MessageQueue<M> implements AsyncIterableIterator<M> {
  readonly #taken: () => void;
  readonly #left: () => void;
  #messages: M[] = [];
  /** Those who have asked for a message that is yet to come. */
  #readers: { resolve(result: IteratorResult<M>): void; reject(error: Error): void }[] = [];
  #state: "open" | "ended" | "left" = "open";
  #failure: Error | undefined;

  /**
   * @param taken called for each message that the reader has got
   * @param left called when the reader goes before the end
   */
  constructor(taken: () => void, left: () => void) {
    this.#taken = taken;
    this.#left = left;
  }

  push(message: M): void {
    if (this.#state !== "open") return;
    const reader = this.#readers.shift();
    if (reader === undefined) {
      this.#messages.push(message);
      return;
    }
    reader.resolve({ done: false, value: message });
    this.#taken();
  }

  /** There are no further messages. The error, if any, is told once those that have arrived are read. */
  end(failure?: Error): void {
    if (this.#state !== "open") return;
    this.#state = "ended";
    this.#failure = failure;
    for (const reader of this.#readers.splice(0)) {
      const error = this.#takeFailure();
      if (error === undefined) reader.resolve(done);
      else reader.reject(error);
    }
  }

  next(): Promise<IteratorResult<M>> {
    const message = this.#messages.shift();
    if (message !== undefined) {
      this.#taken();
      return Promise.resolve({ done: false, value: message });
    }
    if (this.#state !== "open") {
      const error = this.#takeFailure();
      return error === undefined ? Promise.resolve(done) : Promise.reject(error);
    }
    return new Promise((resolve, reject) => {
      this.#readers.push({ resolve, reject });
    });
  }

  return(): Promise<IteratorResult<M>> {
    const before = this.#state;
    this.#state = "left";
    this.#messages = [];
    this.#failure = undefined;
    for (const { resolve } of this.#readers.splice(0)) resolve(done);
    if (before === "open") this.#left();
    return Promise.resolve(done);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** An iterator tells its error once. */
  #takeFailure(): Error | undefined {
    const failure = this.#failure;
    this.#failure = undefined;
    return failure;
  }
}

const done: IteratorReturnResult<undefined> = { done: true, value: undefined };
