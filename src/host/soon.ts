import { setTimeout as sleep } from "node:timers/promises";

/**
 * What a promise gives within `limit` milliseconds, else undefined. Keeps the process alive for as long: without it a
 * wait for something that has no handle of its own (any more) would end with the event loop instead of an answer.
 */
export async function soon<T>(promise: Promise<T>, limit: number): Promise<T | undefined> {
  const stop = new AbortController();
  try {
    return await Promise.race([promise, sleep(limit, undefined, { signal: stop.signal })]);
  } finally {
    stop.abort();
  }
}
