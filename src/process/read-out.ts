import type { Readable } from "node:stream";
import { startTimer } from "../wait.js";

/** Resolves when a stream has nothing more to give, for whatever reason. */
export function ended(stream: Readable): Promise<void> {
  return new Promise((resolve) => {
    if (stream.readableEnded || stream.destroyed) {
      resolve();
      return;
    }
    stream.once("end", resolve);
    stream.once("close", resolve);
  });
}

export interface ReadOutLimits {
  /** Milliseconds without a byte after which the rest is taken for a grandchild's, which may hold a pipe for ever. */
  readonly quiet: number;
  /** Milliseconds that this may take altogether, for a grandchild that goes on writing. */
  readonly total: number;
}

/**
 * Waits until the pipes of a process that has ended are read to their end: all that it wrote is in them already. They
 * must be read by somebody, and are destroyed then.
 */
export async function readOut(streams: readonly Readable[], { quiet, total }: ReadOutLimits): Promise<void> {
  let giveUp = (): void => {};
  const limit = new Promise<void>((resolve) => {
    giveUp = resolve;
  });
  const stopTotal = startTimer(total, giveUp);
  let stopQuiet = startTimer(quiet, giveUp);
  const onData = (): void => {
    stopQuiet();
    stopQuiet = startTimer(quiet, giveUp);
  };
  for (const stream of streams) stream.on("data", onData);
  await Promise.race([Promise.all(streams.map(ended)), limit]);
  stopQuiet();
  stopTotal();
  for (const stream of streams) {
    stream.off("data", onData);
    stream.destroy();
  }
}
