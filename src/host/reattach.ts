import type { PluginSet } from "../definition/plugin.js";
import type { Logger } from "../hclog/logger.js";
import { PidRunner } from "../process/pid-runner.js";
import type { ExitStatus } from "../process/runner.js";
import { HandshakeError } from "../protocol/errors.js";
import { collectVersions } from "../protocol/negotiate.js";
import { hostTlsOptions } from "../tls/host-options.js";
import { unlessCut } from "../wait.js";
import { AttachedProcess } from "./attached-process.js";
import { type ClientConfig, type ReattachConfig, startTimeoutOf } from "./config.js";
import { StartError } from "./errors.js";
import type { PluginHandle } from "./plugin-handle.js";
import type { Started } from "./start.js";

/**
 * Attaches to a plugin that runs already (go-plugin: client.go, reattach).
 *
 * @throws ProcessNotFoundError - the process is gone, or the pid is another's by now
 */
export async function reattach<P extends PluginSet>(
  config: ClientConfig<P> & { readonly reattach: ReattachConfig },
  logger: Logger,
  signal: AbortSignal,
): Promise<Started<P>> {
  const { protocol = "netrpc", address, test = false } = config.reattach;
  const version = config.reattach.protocolVersion ?? config.handshakeConfig.protocolVersion ?? 0;
  const late = (milliseconds: number): StartError =>
    new StartError("ERR_START_TIMEOUT", `the plugin was not reattached to within ${milliseconds} ms`, "");
  const limits = {
    what: "the reattachment",
    ended: signal,
    defaultTimeout: startTimeoutOf(config),
    late,
  };
  const plugin = await unlessCut(attach(config.reattach, logger), limits);
  void plugin.exit.then(() => logger.debug("reattached plugin process exited", { id: plugin.id }));
  return {
    plugin,
    address,
    protocol,
    version,
    plugins: pluginsOf(config, version),
    tls: hostTlsOptions({ config: config.tlsConfig }),
    socketDir: undefined,
    translator: undefined,
    pid: config.reattach.pid,
    attached: true,
    test,
  };
}

async function attach(
  { runner, pid, address, startTime, test }: ReattachConfig,
  logger: Logger,
): Promise<PluginHandle> {
  if (runner !== undefined) return new AttachedProcess(await runner(), logger);
  if (pid !== undefined && test !== true) {
    return new AttachedProcess(await PidRunner.attach({ pid, ...address, startTime }), logger);
  }
  // In test mode the plugin may well be this very process: nothing of it is watched, and nothing is killed.
  const nobody = {
    id: pid === undefined ? "" : String(pid),
    wait: () => new Promise<ExitStatus>(() => {}),
    kill: async () => {},
  };
  return new AttachedProcess(nobody, logger);
}

function pluginsOf<P extends PluginSet>(
  { handshakeConfig, plugins, versionedPlugins }: ClientConfig<P>,
  version: number,
): P {
  const { protocolVersion } = handshakeConfig;
  const set = collectVersions({ protocolVersion, plugins, versionedPlugins }, "host").get(version) ?? plugins;
  if (set !== undefined) return set;
  throw new HandshakeError("ERR_HANDSHAKE_APP_VERSION", `no plugins are configured for version ${version}`);
}
