import type { Logger } from "../hclog/logger.js";

/** Signals that ask the plugin to end. On Windows they can be listened to, and never come. */
const STOP_SIGNALS = ["SIGTERM", "SIGHUP"] as const;

/** One of the signals that may ask the plugin to end. */
export type StopSignal = (typeof STOP_SIGNALS)[number] | "SIGINT";

/**
 * Handles the signals of a plugin, and returns what takes the handlers away.
 *
 * - SIGTERM and SIGHUP call `onStop`, each time. Unhandled they would end the process at once, with its socket left.
 * - SIGINT is ignored. Ctrl-C in a terminal goes to host and plugin alike, and the host decides (server.go, Serve).
 *   With `stopOnInterrupt` it calls `onStop`, too.
 */
export function installSignals(
  logger: Logger,
  onStop: (signal: StopSignal) => void,
  stopOnInterrupt = false,
): () => void {
  let count = 0;
  const ignoreInterrupt = (): void =>
    logger.trace("plugin received interrupt signal, ignoring", { count: ++count });
  const onInterrupt = stopOnInterrupt ? onStop : ignoreInterrupt;
  process.on("SIGINT", onInterrupt);
  for (const signal of STOP_SIGNALS) process.on(signal, onStop);
  return () => {
    process.off("SIGINT", onInterrupt);
    for (const signal of STOP_SIGNALS) process.off(signal, onStop);
  };
}
