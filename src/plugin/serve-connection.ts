import type { Duplex, Readable } from "node:stream";
import { logger, pluginSet, served } from "../definition/check-plugins.js";
import type { PluginSet } from "../definition/plugin.js";
import { guardedLogger } from "../hclog/guarded-logger.js";
import { type Logger, nullLogger } from "../hclog/logger.js";
import type { ServerLimits } from "../netrpc/index.js";
import { calling, duplex, object, readable } from "../options.js";
import { NetRpcServer } from "./net-rpc-server.js";
import { OutputQueue } from "./output-queue.js";

/** What is served on a connection that the caller brings (go-plugin: RPCServer). */
export interface ServeConnectionOptions extends ServerLimits {
  /** The plugins by name: what `implement` returned. */
  readonly plugins: PluginSet;
  /** What the host is to get as the plugin's stdout, read no faster than the host takes it. Default: nothing. */
  readonly stdout?: Readable;
  /** The same for stderr. */
  readonly stderr?: Readable;
  /** Takes what goes wrong. Default: nothing is logged. */
  readonly logger?: Logger;
  /** The host has called Control.Quit; its answer waits for what this returns. The connection is left open. */
  readonly onQuit?: () => void | Promise<void>;
}

const checkServed = object(
  "an object with the plugins",
  { plugins: pluginSet(served), stdout: readable, stderr: readable, logger, onQuit: calling },
  ["plugins"],
);

/**
 * Serves plugins in net/rpc mode on one connection, whatever it is, until it ends (go-plugin: RPCServer.ServeConn).
 * There is no handshake line and no process to end: that is `serve`. What goes wrong is logged, and not thrown.
 *
 * @throws OptionError
 */
export async function serveConnection(connection: Duplex, options: ServeConnectionOptions): Promise<void> {
  duplex("connection", connection as never);
  checkServed("options", options as never);
  const { plugins, onQuit, maxUnansweredBytes } = options;
  const log = guardedLogger(options.logger ?? nullLogger);
  const [stdout, stderr] = [queueOf(options.stdout), queueOf(options.stderr)];
  const server = new NetRpcServer({
    plugins,
    logger: log,
    maxUnansweredBytes,
    stdout: stdout.queue,
    stderr: stderr.queue,
    onQuit: async () => onQuit?.(),
  });
  try {
    await server.serveConnection(connection);
  } finally {
    stdout.detach();
    stderr.detach();
  }
}

/** A queue that is filled from a stream, which waits when the queue is full. */
function queueOf(source: Readable | undefined): { queue: OutputQueue; detach(): void } {
  const queue = new OutputQueue(() => source?.resume());
  queue.holding = false;
  const onData = (chunk: Buffer | string): void => {
    if (!queue.write(Buffer.from(chunk as Buffer))) source?.pause();
  };
  source?.on("data", onData);
  return { queue, detach: () => source?.off("data", onData) };
}
