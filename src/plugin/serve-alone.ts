import { consoleLogger } from "../hclog/console-logger.js";
import { reattachNotice } from "./reattach-notice.js";
import type { ServeConfig, TestReattachConfig } from "./serve-config.js";
import { serveInTest } from "./serve-in-test.js";
import { installSignals } from "./signals.js";

/** Serves in a process that a person has started, until a signal ends it; hosts attach to it, and leave it running. */
export async function serveAlone(config: ServeConfig): Promise<void> {
  const logger = config.logger ?? consoleLogger();
  const end = new AbortController();
  const stop = (): void => end.abort();
  const removeSignals = installSignals(logger, stop, true);
  config.signal?.addEventListener("abort", stop, { once: true });
  if (config.signal?.aborted) stop();
  const onReattachConfig = (reattach: TestReattachConfig): void => {
    process.stderr.write(reattachNotice(reattach));
  };
  try {
    await serveInTest({ ...config, logger, signal: end.signal }, { onReattachConfig });
  } finally {
    config.signal?.removeEventListener("abort", stop);
    removeSignals();
  }
}
