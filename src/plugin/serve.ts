import type { PluginSet } from "../definition/plugin.js";
import { consoleLogger } from "../hclog/console-logger.js";
import { guardedLogger } from "../hclog/guarded-logger.js";
import type { Logger } from "../hclog/logger.js";
import { CORE_PROTOCOL_VERSION, ENV, type Protocol } from "../protocol/constants.js";
import { formatHandshakeLine } from "../protocol/handshake-line.js";
import { chooseVersion, collectVersions, parseVersionList } from "../protocol/negotiate.js";
import { parseBool } from "../protocol/parse-bool.js";
import { type OpenSocket, openSocket, type SocketOptions } from "../socket/open.js";
import { checkServeConfig, warnOfUnknown } from "./check-config.js";
import { cookieProblem, isStartedByHost } from "./cookie.js";
import { ServeError } from "./errors.js";
import { listenOptionsFromEnv } from "./listener.js";
import { pluginLogger } from "./logger.js";
import { parentWatch, watchOrphan } from "./orphan.js";
import { OutputQueue } from "./output-queue.js";
import { reattachNotice } from "./reattach-notice.js";
import { prepareSecurity, type Security } from "./security.js";
import type { ServeConfig, ServeTestConfig, TestReattachConfig } from "./serve-config.js";
import { Serving, type StartServer } from "./serving.js";
import { installSignals, type StopSignal } from "./signals.js";
import {
  bytesBeforeHold,
  captureStdio,
  holdStdout,
  holdStdoutIfPlugin,
  releaseStdio,
  teeStdio,
  writeRealStderr,
} from "./stdio-capture.js";
import { writeFully } from "./write-sync.js";

// Modules that the plugin imports after this one may print while they load.
holdStdoutIfPlugin();

// As early as can be: a host that dies while the plugin starts must be missed, too.
const parentGone = parentWatch();

/** Milliseconds that the host has to make room for the handshake line in the pipe. */
const HANDSHAKE_MS = 5000;

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
  try {
    await serveOnce(config);
  } finally {
    releaseStdio();
    serving = false;
  }
  if (config.exit !== false) process.exit();
}

async function serveOnce(config: ServeConfig): Promise<void> {
  const problem = cookieProblem(config.handshakeConfig, process.env);
  if (problem !== undefined) {
    fail(config, new ServeError("ERR_SERVE_COOKIE", problem.trimEnd()), () =>
      writeFully(2, problem, HANDSHAKE_MS),
    );
  }
  const negotiated = negotiate(config);
  const logger = guardedLogger(config.logger ?? pluginLogger());
  warnOfUnknown(config, logger);
  const where = listenOptions(config);
  const listener = await openSocket(where.main).catch((error: unknown) =>
    fail(config, error, () => logger.error("plugin init error", { error })),
  );
  // A child process that inherits the variables is not a plugin of our host.
  delete process.env[ENV.minPort];
  delete process.env[ENV.maxPort];
  try {
    const security = await prepareSecurity(config, logger).catch((error: unknown) =>
      fail(config, error, () => logger.error("plugin tls init", { error })),
    );
    const start = await prepare({ ...negotiated, config, logger, security, where }).catch((error: unknown) =>
      fail(config, error, () => logger.error("protocol init", { error })),
    );
    await serveOn(listener, { ...negotiated, config, logger, security, start });
  } finally {
    listener.close();
  }
}

/** Where the plugin listens for hosts, and where its broker does: a port of the plugin's own is taken by then. */
interface Listening {
  readonly main: SocketOptions;
  readonly broker: SocketOptions;
}

function listenOptions({ network, port }: ServeConfig): Listening {
  const broker = { ...listenOptionsFromEnv(process.env), network };
  if (port === undefined) return { main: broker, broker };
  return { main: { ...broker, minPort: port, maxPort: port }, broker };
}

interface Negotiated {
  readonly version: number;
  readonly plugins: PluginSet;
  readonly protocol: Protocol;
}

interface Parts extends Negotiated {
  readonly config: ServeConfig;
  readonly logger: Logger;
  readonly security: Security;
}

/** Makes all of the server that can fail before a host is told where to find it. */
async function prepare({
  config,
  plugins,
  protocol,
  logger,
  security,
  where,
}: Parts & { readonly where: Listening }): Promise<StartServer> {
  // Whoever speaks one protocol should not pay for the other when it starts.
  if (protocol === "netrpc") {
    const { startNetRpc } = await import("./start-net-rpc.js");
    return startNetRpc(plugins, logger, security, {
      maxUnansweredBytes: config.maxUnansweredBytes,
      debug: config.debug,
    });
  }
  const { divertGrpcJsTraces, openGrpcServer } = await import("./grpc-server.js");
  // In a test the process is not the plugin's own, and its stderr not synced.
  if (config.test === undefined) divertGrpcJsTraces(writeRealStderr);
  return openGrpcServer({
    ...(config.grpcServer === true ? {} : config.grpcServer),
    transport: config.grpcTransport,
    plugins,
    logger,
    tls: security.tls,
    multiplex: parseBool(process.env[ENV.multiplexGrpc] ?? "") === true,
    debug: config.debug === true,
    listen: () => openSocket(where.broker),
  });
}

async function serveOn(
  listener: OpenSocket,
  { config, version, protocol, logger, security, start }: Parts & { readonly start: StartServer },
): Promise<void> {
  let stop = (): void => {};
  const onSignal = (signal: StopSignal): void => {
    logger.info("plugin received signal, stopping", { signal });
    stop();
  };
  const removeSignals = installSignals(logger, onSignal, config.stopOnInterrupt);
  try {
    announce(listener, { version, protocol, serverCert: security.announce, logger });
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

function addressOf({ network, address }: OpenSocket): Pick<OpenSocket, "network" | "address"> {
  return { network, address };
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

/** Serves inside of a process that is not the plugin's own. */
async function serveInTest(config: ServeConfig, test: ServeTestConfig): Promise<void> {
  const negotiated = negotiate(config);
  const logger = guardedLogger(config.logger ?? pluginLogger());
  warnOfUnknown(config, logger);
  const where = listenOptions(config);
  const listener = await openSocket(where.main);
  let release: (() => void) | undefined;
  try {
    const security = await prepareSecurity(config, logger);
    const start = await prepare({ ...negotiated, config, logger, security, where });
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

/** Serves in a process that a person has started, until a signal ends it; hosts attach to it, and leave it running. */
async function serveAlone(config: ServeConfig): Promise<void> {
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

/** Prints the handshake line on the real stdout, where nothing has been before it. */
function announce(
  listener: OpenSocket,
  {
    version,
    protocol,
    serverCert,
    logger,
  }: Pick<Parts, "version" | "protocol" | "logger"> & { readonly serverCert: Buffer | undefined },
): void {
  const { network, address } = listener;
  const early = bytesBeforeHold();
  if (early > 0) {
    logger.warn(
      "stdout was written to before goplug was loaded, which can break the handshake: import goplug/capture first",
      { bytes: early },
    );
  }
  logger.debug("plugin address", { network, address });
  const line = formatHandshakeLine(
    {
      coreVersion: CORE_PROTOCOL_VERSION,
      appVersion: version,
      network,
      address,
      protocol,
      ...(serverCert !== undefined && { serverCert }),
      // Only hosts that ask can read the field; net/rpc connections have always been multiplexed in their own way.
      mux: process.env[ENV.multiplexGrpc] ? protocol === "grpc" : undefined,
    },
    { legacyHost: !process.env[ENV.protocolVersions] },
  );
  if (!writeFully(1, `${line}\n`, HANDSHAKE_MS)) {
    throw new ServeError(
      "ERR_SERVE_HANDSHAKE",
      "the handshake line could not be written: the host does not read",
    );
  }
}

function negotiate(config: ServeConfig): Negotiated {
  const { handshakeConfig, plugins, versionedPlugins } = config;
  const sets = collectVersions(
    { protocolVersion: handshakeConfig.protocolVersion, plugins, versionedPlugins },
    "plugin",
  );
  const host = parseVersionList(process.env[ENV.protocolVersions]);
  for (const entry of host.invalid) {
    writeRealStderr(`server sent invalid plugin version ${JSON.stringify(entry)}\n`);
  }
  const version = chooseVersion(sets.keys(), host.versions);
  const set = version === undefined ? undefined : sets.get(version);
  if (version === undefined || set === undefined) {
    throw new ServeError("ERR_SERVE_CONFIG", "serve needs plugins or versionedPlugins");
  }
  return { version, plugins: set, protocol: protocolOf(set, config) };
}

/** The first plugin stands for the set (server.go, protocolVersion): all of it is served alike. */
function protocolOf(plugins: PluginSet, { grpcServer }: ServeConfig): Protocol {
  const first = Object.values(plugins)[0];
  if (first === undefined || !("grpcServer" in first)) return "netrpc";
  return grpcServer !== undefined || !("server" in first) ? "grpc" : "netrpc";
}

/** Ends the process with code 1 after a report, or throws where the caller wants to decide. */
function fail(config: ServeConfig, error: unknown, report: () => void): never {
  if (config.exit === false) throw error;
  releaseStdio();
  report();
  process.exit(1);
}
