import type { Logger } from "../hclog/logger.js";

/** Signals that ask the plugin to end. (Windows knows none of them but by name.) */
const STOP_SIGNALS = ["SIGTERM", "SIGHUP"] as const;

/** One of the signals that may ask the plugin to end. */
export type StopSignal = (typeof STOP_SIGNALS)[number] | "SIGINT";

/**
 * Signal manners of a plugin. SIGINT is counted and ignored, because a terminal's Ctrl-C goes to the whole process
 * group and it is the host that decides (server.go, Serve). SIGTERM and SIGHUP, which would end the process on the
 * spot and leave its socket behind, call `onStop` each time; so does SIGINT with `stopOnInterrupt`. Returns the
 * function that takes the handlers away.
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
