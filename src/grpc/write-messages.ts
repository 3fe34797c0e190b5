import { badOption } from "../errors.js";

/** What both sides' calls have of a Writable. */
interface Writing {
  write(message: unknown): unknown;
  on(event: "drain", listener: () => void): unknown;
}

/** Messages to send: an array, a generator, a stream of objects. */
export type Messages<M> = AsyncIterable<M> | Iterable<M>;

/** Messages on their way into a call. */
export interface OutgoingMessages {
  /** Resolves true when all were written, false if the call was over before. Rejects with the source's own error. */
  readonly done: Promise<boolean>;
  /** To be called when the call is over: nothing more is written, and the source is told. */
  stop(): void;
}

/** Writes the messages of a source that has been checked, each made ready by `prepare`, no faster than the call takes them. */
export function writeMessages<M>(
  call: Writing,
  source: Messages<M>,
  prepare: (message: M) => unknown,
): OutgoingMessages {
  let over = false;
  let iterator: AsyncIterator<M> | Iterator<M> | undefined;
  let wake = (): void => {};
  call.on("drain", () => wake());

  const closeSource = async (): Promise<void> => {
    const closing = iterator;
    iterator = undefined;
    try {
      await closing?.return?.();
    } catch {
      // The call has its result; what the source says of being closed changes nothing.
    }
  };
  const room = (): Promise<void> =>
    new Promise((resolve) => {
      wake = resolve;
    });
  const run = async (): Promise<boolean> => {
    const messages = iteratorOf(source);
    iterator = messages;
    for (;;) {
      const { done, value } = await messages.next();
      if (over) return false;
      if (done === true) {
        iterator = undefined;
        return true;
      }
      // A plain iterable may give promises, as in `for await`.
      const message = prepare(await value);
      if (over) return false;
      if (call.write(message) === false) await room();
      if (over) return false;
    }
  };
  const done = run().catch((error: unknown) => {
    if (over) return false;
    void closeSource();
    throw error;
  });
  return {
    done,
    stop() {
      if (over) return;
      over = true;
      wake();
      void closeSource();
    },
  };
}

/** @throws OptionError - they are nothing that can be iterated */
export function checkedMessages<M>(source: Messages<M>): Messages<M> {
  if (
    typeof source !== "object" ||
    source === null ||
    !(Symbol.asyncIterator in source || Symbol.iterator in source)
  )
    throw badOption("messages", "an iterable, or an async iterable", source);
  return source;
}

function iteratorOf<M>(source: Messages<M>): AsyncIterator<M> | Iterator<M> {
  return Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
}
