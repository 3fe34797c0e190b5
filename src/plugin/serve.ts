import { guardedLogger } from "../hclog/guarded-logger.js";
import type { Logger } from "../hclog/logger.js";
import { ENV } from "../protocol/constants.js";
import { type OpenSocket, openSocket, type SocketOptions } from "../socket/open.js";
import { announce } from "./announce.js";
import { checkServeConfig, warnOfUnknown } from "./check-config.js";
import { cookieProblem, isStartedByHost } from "./cookie.js";
import { ServeError } from "./errors.js";
import { announcePanics } from "./last-panic.js";
import { listenOptions } from "./listener.js";
import { pluginLogger } from "./logger.js";
import { negotiate } from "./negotiate.js";
import { parentWatch, watchOrphan } from "./orphan.js";
import { prepareServer, type ServerParts } from "./prepare-server.js";
import { prepareSecurity } from "./security.js";
import { serveAlone } from "./serve-alone.js";
import type { ServeConfig } from "./serve-config.js";
import { serveInTest } from "./serve-in-test.js";
import { addressOf, Serving, type StartServer } from "./serving.js";
import { installSignals, type StopSignal } from "./signals.js";
import {
  captureStdio,
  holdStdout,
  holdStdoutIfPlugin,
  releaseStdio,
  writeRealStderr,
} from "./stdio-capture.js";
import { writeFully } from "./write-sync.js";

// Modules that the plugin imports after this one may print while they load.
holdStdoutIfPlugin();

// As early as can be: a host that dies while the plugin starts must be missed, too.
const parentGone = parentWatch();

/** Milliseconds that whoever reads stderr has to make room in the pipe for what ends the process. */
const LAST_WORDS_MS = 5000;

let serving = false;

/**
 * Serves plugins to the host that started this process (go-plugin: Serve). Returns when the host has ended the plugin,
 * or SIGTERM, SIGHUP or `signal` has; then, unless `exit` is false, the process exits. Calls that are running at that
 * moment are not waited for, as in go-plugin.
 *
 * From the call on, process.stdout and process.stderr (and console with them) belong to the hosts: what is written to
 * them comes out of the hosts' syncStdout and syncStderr. Log with {@link pluginLogger}.
 *
 * A process that no host started is told so on stderr and exits with code 1, as it does when it cannot listen.
 * @throws OptionError - an option is missing or cannot be used; nothing was printed
 * @throws ServeError ERR_SERVE_TWICE, ERR_SERVE_CONFIG; with `exit: false` also the errors that otherwise end the process
 * @throws HandshakeError ERR_HANDSHAKE_CONFIG
 */
export async function serve(config: ServeConfig): Promise<void> {
  checkServeConfig(config);
  if (config.test !== undefined) return serveInTest(config, config.test);
  if (config.debug === true && !isStartedByHost(config.handshakeConfig, process.env)) {
    await serveAlone(config);
    if (config.exit !== false) process.exit();
    return;
  }
  if (serving) throw new ServeError("ERR_SERVE_TWICE", "serve was called twice: a process has one handshake");
  serving = true;
  holdStdout();
  const removeAnnouncer = announcePanics();
  try {
    await serveOnce(config);
  } finally {
    removeAnnouncer();
    releaseStdio();
    serving = false;
  }
  if (config.exit !== false) process.exit();
}

async function serveOnce(config: ServeConfig): Promise<void> {
  const problem = cookieProblem(config.handshakeConfig, process.env);
  if (problem !== undefined) {
    fail(config, new ServeError("ERR_SERVE_COOKIE", problem.trimEnd()), () =>
      writeFully(2, problem, LAST_WORDS_MS),
    );
  }
  const negotiated = negotiate(config, process.env, writeRealStderr);
  const logger = guardedLogger(config.logger ?? pluginLogger());
  warnOfUnknown(config, logger);
  const { listener, brokerSocket } = await listen(config).catch((error: unknown) =>
    fail(config, error, () => logger.error("plugin init error", { error })),
  );
  // A child process that inherits the variables is not a plugin of our host.
  delete process.env[ENV.minPort];
  delete process.env[ENV.maxPort];
  try {
    const security = await prepareSecurity(config, logger).catch((error: unknown) =>
      fail(config, error, () => logger.error("plugin tls init", { error })),
    );
    const parts = { ...negotiated, config, logger, security, brokerSocket };
    const start = await prepareServer(parts).catch((error: unknown) =>
      fail(config, error, () => logger.error("protocol init", { error })),
    );
    await serveOn(listener, parts, start);
  } finally {
    listener.close();
  }
}

async function listen(config: ServeConfig): Promise<{ listener: OpenSocket; brokerSocket: SocketOptions }> {
  const { main, broker } = listenOptions(config, process.env);
  return { listener: await openSocket(main), brokerSocket: broker };
}

async function serveOn(listener: OpenSocket, parts: ServerParts, start: StartServer): Promise<void> {
  const { config, logger, security } = parts;
  let stop = (): void => {};
  const onSignal = (signal: StopSignal): void => {
    logger.info("plugin received signal, stopping", { signal });
    stop();
  };
  const removeSignals = installSignals(logger, onSignal, config.stopOnInterrupt);
  try {
    announce(listener, parts, security.announce, logger);
    const output = captureStdio((error) => logger.warn("plugin output is lost", { error }));
    const serving = new Serving({ listener, start, output, logger, signal: config.signal });
    stop = serving.stop;
    const closeNow = (): void => serving.server.closeNow();
    // Before what was printed is looked through for what has not left: this is its last chance to.
    process.prependListener("exit", closeNow);
    const stopWatch = config.endWhenOrphaned === false ? undefined : watch(serving, logger);
    try {
      config.onServing?.(addressOf(listener));
      await serving.stopped;
    } finally {
      stopWatch?.();
      await serving.end();
      process.off("exit", closeNow);
    }
  } finally {
    removeSignals();
  }
}

function watch({ server, stop }: Serving, logger: Logger): () => void {
  return watchOrphan({
    openConnections: () => server.openConnections,
    parentGone,
    onOrphaned() {
      logger.warn("the plugin's host is gone, stopping");
      stop();
    },
  });
}

/** Ends the process with code 1 after a report, or throws where the caller wants to decide. */
function fail(config: ServeConfig, error: unknown, report: () => void): never {
  if (config.exit === false) throw error;
  releaseStdio();
  report();
  process.exit(1);
}
