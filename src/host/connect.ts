import type { PluginSet } from "../definition/plugin.js";
import { type CallCounters, type CallObserver, traced, tracing } from "../diagnostics.js";
import { AbortedError, type GoplugError } from "../errors.js";
import { GrpcMissingError } from "../grpc/errors.js";
import { type Logger, withFields } from "../hclog/logger.js";
import { ConnectionLostError } from "../netrpc/index.js";
import { socketTarget } from "../socket/address.js";
import { openSocket } from "../socket/open.js";
import { connectTls } from "../tls/connect.js";
import { limited, within } from "../wait.js";
import { patientConfig } from "../yamux/config.js";
import { dial, Session, type SessionConfig } from "../yamux/index.js";
import { type ClientConfig, startTimeoutOf } from "./config.js";
import { PluginExitedError, StartError, withTail } from "./errors.js";
import { NetRpcProtocolClient } from "./net-rpc-client.js";
import type { PluginHandle } from "./plugin-handle.js";
import type { ProtocolClient } from "./protocol-client.js";
import type { Started } from "./start.js";

/** Milliseconds after the loss of the connection in which the process's end is taken as its reason. */
const LOSS_GRACE = 500;
/** Milliseconds after the process's end in which its connection is read out. */
const EXITED_GRACE = 300;

/**
 * Connects to a started plugin. The attempt ends with the plugin's process, after the start timeout, or when `ending`
 * fires. A plugin that was started for this connection ends with the attempt.
 *
 * @throws StartError ERR_START_CONNECT, PluginExitedError, GrpcMissingError
 */
export async function connectPlugin<P extends PluginSet>(
  started: Started<P>,
  config: ClientConfig<P>,
  logger: Logger,
  ending: AbortSignal,
  counters: CallCounters,
): Promise<ProtocolClient<P>> {
  const { plugin, protocol, address } = started;
  const observer: CallObserver = { plugin: plugin.name, counters };
  const onLost = (error: GoplugError): Promise<Error> => explainLoss(plugin, error);
  const gone = new AbortController();
  void plugin.exit.then(() =>
    gone.abort(new AbortedError("the connection to the plugin", "its process has ended")),
  );
  const limits = {
    what: "the connection to the plugin",
    signal: ending,
    defaultTimeout: startTimeoutOf(config),
    ended: gone.signal,
  };
  const connectIt = started.protocol === "grpc" ? connectGrpcPlugin : connectNetRpcPlugin;
  try {
    const named = withFields(logger, { plugin: plugin.name });
    const client = await traced(
      tracing.connect,
      () => ({ plugin: plugin.name, protocol, ...address }),
      () =>
        limited(limits, (signal) => connectIt(started, config, { logger: named, onLost, observer, signal })),
    );
    void disconnectAfterExit(plugin, client);
    return client;
  } catch (error) {
    const exit = plugin.exited ?? (await within(LOSS_GRACE, plugin.exit));
    if (exit !== undefined)
      throw new PluginExitedError(plugin.name, exit, plugin.stderrTail, { cause: error });
    if (!started.attached && !ending.aborted) await plugin.kill();
    if (error instanceof GrpcMissingError) throw error;
    const message = `cannot connect to plugin ${plugin.name} at ${address.network} ${address.address}: ${(error as Error).message}`;
    throw new StartError("ERR_START_CONNECT", message, plugin.stderrTail, { cause: error });
  }
}

interface Connecting {
  readonly logger: Logger;
  readonly onLost: (error: GoplugError) => Promise<Error>;
  readonly observer: CallObserver;
  readonly signal: AbortSignal;
}

async function connectNetRpcPlugin<P extends PluginSet>(
  started: Started<P>,
  config: ClientConfig<P>,
  { logger, onLost, observer, signal }: Connecting,
): Promise<ProtocolClient<P>> {
  return NetRpcProtocolClient.open(
    await openSession(started, config.debug === true ? patientConfig : {}, signal),
    {
      plugins: started.plugins,
      syncStdout: config.syncStdout,
      syncStderr: config.syncStderr,
      unansweredWarning: config.debug === true ? Infinity : config.unansweredWarning,
      brokerTimeout: config.debug === true ? Infinity : undefined,
      logger,
      onLost,
      observer,
    },
    signal,
  );
}

async function connectGrpcPlugin<P extends PluginSet>(
  { plugin, plugins, address, tls, socketDir, translator }: Started<P>,
  config: ClientConfig<P>,
  { logger, onLost, observer, signal }: Connecting,
): Promise<ProtocolClient<P>> {
  // Loaded here only: it takes its time.
  const { GrpcProtocolClient } = await import("./grpc-client.js");
  const group = config.unixSocketConfig?.group;
  return GrpcProtocolClient.open(
    {
      plugins,
      address,
      tls,
      autoMTLS: config.autoMTLS === true,
      multiplex: config.grpcBrokerMultiplex === true,
      debug: config.debug === true,
      channelOptions: config.grpcChannelOptions,
      transport: config.grpcTransport,
      sync: { stdout: config.syncStdout, stderr: config.syncStderr },
      logger,
      observer,
      listen: () => openSocket({ directory: socketDir, group }),
      fromPlugin: translate(translator?.pluginToHost?.bind(translator)),
      toPlugin: translate(translator?.hostToPlugin?.bind(translator)),
      onLost,
      exited: plugin.exit.then((exit) => new PluginExitedError(plugin.name, exit, plugin.stderrTail)),
    },
    signal,
  );
}

type Address = Started<PluginSet>["address"];

function translate(
  by: ((network: string, address: string) => { network: string; address: string }) | undefined,
): ((address: Address) => Address) | undefined {
  if (by === undefined) return undefined;
  return ({ network, address }) => {
    const translated = by(network, address);
    if (translated.network === "unix" || translated.network === "tcp") return translated as Address;
    throw new StartError("ERR_START_CONNECT", `unknown address type: ${translated.address}`, "");
  };
}

/** A process that the plugin has forked may hold the connection open when the plugin is gone. */
async function disconnectAfterExit(plugin: PluginHandle, client: ProtocolClient): Promise<void> {
  await plugin.exit;
  const closed = client.closed.then(() => true);
  if ((await within(EXITED_GRACE, closed)) === undefined) await client.disconnect();
}

async function openSession<P extends PluginSet>(
  { address, tls }: Started<P>,
  session: SessionConfig,
  signal: AbortSignal,
): Promise<Session> {
  const target = socketTarget(address);
  if (tls === undefined) return dial({ ...session, ...target, signal });
  return Session.client(await connectTls(target, { tls, timeout: Infinity, signal }), session);
}

/** What became of a lost connection: the end of the process, if it ends now too, else the plugin's last words. */
async function explainLoss(plugin: PluginHandle, error: GoplugError): Promise<Error> {
  const exit = await within(LOSS_GRACE, plugin.exit);
  if (exit !== undefined) {
    return new PluginExitedError(plugin.name, exit, plugin.stderrTail, { cause: error });
  }
  if (!(error instanceof ConnectionLostError)) return error;
  const message = `the connection to plugin ${plugin.name} ended before the answer came: unexpected EOF`;
  return new ConnectionLostError(error.cause, withTail(message, plugin.stderrTail));
}
