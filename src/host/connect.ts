import { setTimeout as sleep } from "node:timers/promises";
import type { PluginSet } from "../definition/plugin.js";
import type { GoplugError } from "../errors.js";
import type { Logger } from "../hclog/logger.js";
import { connectTls } from "../tls/connect.js";
import { dial, Session } from "../yamux/index.js";
import type { ClientConfig } from "./config.js";
import { PluginExitedError, StartError } from "./errors.js";
import { NetRpcProtocolClient } from "./net-rpc-client.js";
import type { PluginHandle } from "./plugin-handle.js";
import type { ProtocolClient } from "./protocol-client.js";
import type { Started } from "./start.js";

/** Milliseconds after the loss of the connection in which the process's end is taken as its reason. */
const lossGrace = 500;

/**
 * Connects to a started plugin.
 *
 * @throws StartError ERR_START_CONNECT, PluginExitedError
 */
export async function connectPlugin<P extends PluginSet>(
  started: Started<P>,
  config: ClientConfig<P>,
  logger: Logger,
): Promise<ProtocolClient<P>> {
  const { plugin, plugins } = started;
  const { startTimeout = 60_000, syncStdout, syncStderr } = config;
  const signal = AbortSignal.timeout(startTimeout);
  try {
    const session = await openSession(started, startTimeout, signal);
    const onLost = (error: GoplugError): Promise<Error> => explainLoss(plugin, error);
    return await NetRpcProtocolClient.open(
      session,
      { plugins, syncStdout, syncStderr, logger, onLost },
      signal,
    );
  } catch (error) {
    const exit = plugin.exited ?? (await soon(plugin.exit, lossGrace));
    if (exit !== undefined)
      throw new PluginExitedError(plugin.name, exit, plugin.stderrTail, { cause: error });
    const { network, address } = started.address;
    const message = `cannot connect to plugin ${plugin.name} at ${network} ${address}: ${(error as Error).message}`;
    throw new StartError("ERR_START_CONNECT", message, plugin.stderrTail, { cause: error });
  }
}

async function openSession<P extends PluginSet>(
  { address, tls }: Started<P>,
  timeout: number,
  signal: AbortSignal,
): Promise<Session> {
  const target = dialTarget(address);
  if (tls === undefined) return dial({ ...target, signal });
  return Session.client(await connectTls(target, { tls, timeout, signal }));
}

function dialTarget({
  network,
  address,
}: Started<PluginSet>["address"]): { path: string } | { host: string; port: number } {
  if (network === "unix") return { path: address };
  const colon = address.lastIndexOf(":");
  const host = address.slice(0, colon).replace(/^\[(.*)\]$/, "$1");
  return { host: host === "" ? "localhost" : host, port: Number(address.slice(colon + 1)) };
}

/** What became of a lost connection: the end of the process, if it ends now too. */
async function explainLoss(plugin: PluginHandle, error: GoplugError): Promise<Error> {
  const exit = await soon(plugin.exit, lossGrace);
  if (exit === undefined) return error;
  return new PluginExitedError(plugin.name, exit, plugin.stderrTail, { cause: error });
}

/** What a promise gives within `limit` milliseconds, else undefined. */
export async function soon<T>(promise: Promise<T>, limit: number): Promise<T | undefined> {
  const stop = new AbortController();
  try {
    return await Promise.race([promise, sleep(limit, undefined, { signal: stop.signal })]);
  } finally {
    stop.abort();
  }
}
