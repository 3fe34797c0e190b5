import type { Readable } from "node:stream";

/** The messages of a call, and a way to end them before the call does. */
export interface IncomingMessages<M> extends AsyncIterableIterator<M> {
  /** Ends the iteration with an error, once what has arrived is read. */
  fail(error: Error): void;
}

/**
 * Reads a call's messages, no faster than they are asked for. It listens from now on: what has arrived, and the error
 * that ended the call, wait for the reader, whenever it comes. (A Readable's own iterator begins to listen at the
 * first `next`; an error from before that is uncaught, and a `for await` that begins after it ends as if all were well.)
 *
 * @param leave called when the reader leaves before the end
 * @param explain makes what the reader sees of the call's error
 */
export function readMessages<M, E extends Error>(
  stream: Readable,
  leave: () => void,
  explain: (error: E) => Error = (error) => error,
): IncomingMessages<M> {
  let failure: Error | undefined;
  let ended = false;
  let wake = (): void => {};
  const end = (): void => {
    ended = true;
    wake();
  };
  const fail = (error: Error): void => {
    failure ??= error;
    end();
  };
  stream.on("readable", () => wake());
  stream.on("error", (error) => fail(explain(error as E)));
  stream.on("end", end);
  stream.on("close", end);

  const messages = (async function* (): AsyncGenerator<M> {
    for (;;) {
      const message = stream.read() as M | null;
      if (message !== null) yield message;
      else if (failure !== undefined) throw failure;
      else if (ended) return;
      else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  })();

  return {
    fail,
    next: () => messages.next(),
    return() {
      if (!ended) leave();
      // A `next` that is still waiting must not keep the reader here.
      end();
      return messages.return(undefined);
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
