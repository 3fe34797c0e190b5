import { guardedLogger } from "../hclog/guarded-logger.js";
import { openSocket } from "../socket/open.js";
import { warnOfUnknown } from "./check-config.js";
import { listenOptions } from "./listener.js";
import { pluginLogger } from "./logger.js";
import { negotiate } from "./negotiate.js";
import { OutputQueue } from "./output-queue.js";
import { prepareServer } from "./prepare-server.js";
import { prepareSecurity } from "./security.js";
import type { ServeConfig, ServeTestConfig } from "./serve-config.js";
import { addressOf, Serving } from "./serving.js";
import { teeStdio, writeRealStderr } from "./stdio-capture.js";

/** Serves inside of a process that is not the plugin's own. */
export async function serveInTest(config: ServeConfig, test: ServeTestConfig): Promise<void> {
  const negotiated = negotiate(config, process.env, writeRealStderr);
  const logger = guardedLogger(config.logger ?? pluginLogger());
  warnOfUnknown(config, logger);
  const sockets = listenOptions(config, process.env);
  const listener = await openSocket(sockets.main);
  let release: (() => void) | undefined;
  try {
    const security = await prepareSecurity(config, logger);
    const start = await prepareServer({
      ...negotiated,
      config,
      logger,
      security,
      brokerSocket: sockets.broker,
    });
    const tee = test.syncStdio === true ? teeStdio() : undefined;
    release = tee?.release;
    const output = tee ?? { stdout: new OutputQueue(() => {}), stderr: new OutputQueue(() => {}) };
    const serving = new Serving({ listener, start, output, logger, signal: config.signal });
    try {
      config.onServing?.(addressOf(listener));
      test.onReattachConfig?.({
        protocol: negotiated.protocol,
        protocolVersion: negotiated.version,
        address: addressOf(listener),
        pid: process.pid,
        test: true,
      });
      await serving.stopped;
    } finally {
      await serving.end();
    }
  } finally {
    release?.();
    listener.close();
  }
}
