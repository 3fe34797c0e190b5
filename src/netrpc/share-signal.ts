import { defaultMaxListeners, getMaxListeners, setMaxListeners } from "node:events";

const plenty = 2 ** 31 - 1;

/**
 * Lets any number of waits share a signal: Node would take the eleventh for a leak and warn. A limit that somebody has
 * set stays as it is.
 */
export function shareSignal(signal: AbortSignal | undefined): void {
  if (signal !== undefined && maxListeners(signal) === defaultMaxListeners) setMaxListeners(plenty, signal);
}

function maxListeners(signal: AbortSignal): number {
  try {
    return getMaxListeners(signal);
  } catch {
    // Node 20 throws where the limit is 0, which stands for none.
    return 0;
  }
}
