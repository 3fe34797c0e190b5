import type { ConnectionOptions } from "node:tls";
import type { PluginSet } from "../definition/plugin.js";
import type { Logger } from "../hclog/logger.js";
import { checkFile, checksumMismatch } from "../process/checksum.js";
import { type Command, CommandRunner } from "../process/command-runner.js";
import { type Env, joinEnv, withoutEnv } from "../process/env.js";
import { lookPath } from "../process/look-path.js";
import { pinExecutable } from "../process/pinned.js";
import type { AttachedRunner, Runner } from "../process/runner.js";
import { ENV, type Protocol } from "../protocol/constants.js";
import { pluginEnvironment } from "../protocol/environment.js";
import { collectVersions } from "../protocol/negotiate.js";
import type { SocketAddress } from "../socket/address.js";
import { hasRoom, tempDir } from "../socket/path.js";
import { makePrivateDir, type PrivateDir } from "../socket/private-dir.js";
import { generateCertificate } from "../tls/certificate.js";
import { hostTlsOptions } from "../tls/host-options.js";
import { limited, unlessCut } from "../wait.js";
import { adviceOnSilence, withAdvice } from "./advice.js";
import {
  type ClientConfig,
  type PluginCommand,
  type RunnerContext,
  type RunnerFunc,
  startTimeoutOf,
} from "./config.js";
import { StartError } from "./errors.js";
import { type LaunchedPlugin, launch } from "./launch.js";
import type { PluginHandle } from "./plugin-handle.js";
import type { PluginProcess } from "./plugin-process.js";

/** A plugin that runs and can be connected to. */
export interface Started<P extends PluginSet> {
  readonly plugin: PluginHandle;
  readonly address: SocketAddress;
  readonly protocol: Protocol;
  readonly version: number;
  readonly plugins: P;
  readonly tls: ConnectionOptions | undefined;
  /** Where sockets go that the plugin connects to; undefined: where each side likes. */
  readonly socketDir: string | undefined;
  /** Translates addresses, where host and plugin do not see the same. */
  readonly translator: Pick<AttachedRunner, "pluginToHost" | "hostToPlugin"> | undefined;
  /** The plugin's pid, where it is a process of this machine. */
  readonly pid: number | undefined;
  /** Whether it was running already: such a plugin is not ended because the host cannot connect to it. */
  readonly attached: boolean;
  /** The plugin runs in test mode: it is neither asked to quit nor killed. */
  readonly test: boolean;
}

/** Something made for the start that goes with the plugin. */
type Cleanup = () => Promise<void>;

/**
 * Starts the plugin of a configuration that has no `reattach`, and negotiates with it.
 *
 * @param onProcess is told of the plugin's process as soon as there is one, whatever becomes of the start
 */
export function startPlugin<P extends PluginSet>(
  config: ClientConfig<P>,
  logger: Logger,
  signal: AbortSignal,
  onProcess: (process: PluginProcess) => void,
): Promise<Started<P>> {
  let process: PluginProcess | undefined;
  const late = (milliseconds: number): StartError => {
    const missing =
      process === undefined
        ? "the plugin's runner had not started it"
        : `${process.name} printed no handshake line`;
    const message = `timeout while waiting for plugin to start: ${missing} within ${milliseconds} ms`;
    const stderr = process?.stderrTail ?? "";
    const env = inheritedBy(config);
    return new StartError("ERR_START_TIMEOUT", withAdvice(message, adviceOnSilence(stderr, env)), stderr);
  };
  const limits = {
    what: "the start of the plugin",
    ended: signal,
    defaultTimeout: startTimeoutOf(config),
    late,
  };
  return limited(limits, (cut) =>
    startWithin(config, logger, cut, (started) => {
      process = started;
      onProcess(started);
    }),
  );
}

async function startWithin<P extends PluginSet>(
  config: ClientConfig<P>,
  logger: Logger,
  signal: AbortSignal,
  onProcess: (process: PluginProcess) => void,
): Promise<Started<P>> {
  const { handshakeConfig, allowedProtocols = ["netrpc"] } = config;
  const { protocolVersion } = handshakeConfig;
  const { plugins, versionedPlugins } = config;
  const sets = collectVersions({ protocolVersion, plugins, versionedPlugins }, "host");
  await checkGrpc(config);
  const certificate = config.autoMTLS === true ? await generateCertificate() : undefined;
  const cleanups: Cleanup[] = [];
  const logFailure = (error: Error | undefined): void => {
    if (error !== undefined) logger.warn("cannot remove the folder of the plugin's sockets", { error });
  };
  const cleanUp = async (): Promise<void> => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  };
  let launched: LaunchedPlugin;
  let socketDir: PrivateDir | undefined;
  let runner: Runner;
  try {
    const given = commandOf(config.cmd);
    const inherited = inheritedBy(config);
    socketDir = await socketDirFor(config, inherited);
    if (socketDir !== undefined) cleanups.push(async () => logFailure(socketDir!.remove()));
    const told = pluginEnvironment({
      handshakeConfig,
      versions: sets.keys(),
      minPort: config.minPort,
      maxPort: config.maxPort,
      clientCert: certificate?.certPem,
      multiplexGrpc: config.grpcBrokerMultiplex,
      unixSocketDir: socketDir?.path,
      unixSocketGroup: config.unixSocketConfig?.group,
    });
    const env = joinEnv([inherited, told]);
    const named = { path: given.path, args: given.args ?? [], env, cwd: given.cwd };
    const command = await verified(named, config, signal, cleanups);
    runner =
      config.runner === undefined
        ? new CommandRunner(command, { killWithHost: config.killWithHost, watchdog: config.watchdog, logger })
        : await unlessCut(madeBy(config.runner, command, { logger, socketDir: socketDir!.path }), {
            what: "the making of the plugin's runner",
            ended: signal,
          });
    launched = await launch(runner, {
      logger,
      stderr: config.stderr,
      exitLogLevel: config.exitLogLevel,
      // As in go-plugin, 0 stands for the default.
      logBufferSize: config.pluginLogBufferSize || 65_536,
      handshakeConfig,
      expected: {
        versions: sets.keys(),
        allowedProtocols,
        multiplexGrpc: config.grpcBrokerMultiplex === true,
      },
      removeWithHost: config.killWithHost !== false,
      signal,
      onProcess,
      cleanUp,
    });
  } catch (error) {
    await cleanUp();
    throw error;
  }
  const { process: plugin, handshake } = launched;
  try {
    const { network, address, protocol, appVersion: version, serverCert: announced } = handshake;
    return {
      plugin,
      address: { network, address },
      protocol: protocol as Protocol,
      version,
      plugins: sets.get(version)!,
      tls: hostTlsOptions({ own: certificate, announced, config: config.tlsConfig }),
      socketDir: socketDir?.path,
      translator: runner,
      pid: config.runner === undefined ? Number(plugin.id) : undefined,
      attached: false,
      test: false,
    };
  } catch (error) {
    await plugin.kill();
    throw error;
  }
}

/** What a plugin over gRPC cannot be used without is missed before it is started. @throws GrpcMissingError */
async function checkGrpc<P extends PluginSet>(config: ClientConfig<P>): Promise<void> {
  const { allowedProtocols = ["netrpc"], grpcTransport, grpcChannelOptions } = config;
  // One over net/rpc needs nothing of it.
  if (allowedProtocols.includes("netrpc")) return;
  if (grpcTransport === undefined && grpcChannelOptions === undefined) return;
  const { checkTransport } = await import("../grpc/connection.js");
  await checkTransport(grpcTransport, grpcChannelOptions ?? {});
}

async function madeBy(make: RunnerFunc, command: Command, context: RunnerContext): Promise<Runner> {
  return make(command, context);
}

/**
 * The folder that the plugin is told to make its sockets in; undefined: where it likes. Its folder for temporary files
 * may be too deep for the path of a socket, and most plugins know no other way out than what a host tells them.
 */
async function socketDirFor<P extends PluginSet>(
  { runner, unixSocketConfig, killWithHost }: ClientConfig<P>,
  env: Env,
): Promise<PrivateDir | undefined> {
  const isToldAnother = env[ENV.unixSocketDir] !== undefined && env[ENV.unixSocketDir] !== "";
  const hasItsOwn = isToldAnother || hasRoom(tempDir(env));
  if (runner === undefined && unixSocketConfig === undefined && hasItsOwn) return undefined;
  const { group, tempDir: parent } = unixSocketConfig ?? {};
  return makePrivateDir({ prefix: "plugin-dir", parent, group, removeWithHost: killWithHost !== false });
}

/** The command with its executable verified, where the configuration asks for it (go-plugin: SecureConfig). */
async function verified<P extends PluginSet>(
  command: Command,
  { secureConfig }: ClientConfig<P>,
  signal: AbortSignal,
  cleanups: Cleanup[],
): Promise<Command> {
  if (secureConfig === undefined) return command;
  const path = lookPath(command.path, { cwd: command.cwd });
  if (secureConfig.pinned === true) {
    const pinned = await pinExecutable(path, secureConfig, { signal });
    cleanups.push(() => pinned.release());
    return { ...command, path: pinned.path };
  }
  if (!(await checkFile(path, secureConfig, signal))) throw checksumMismatch();
  return { ...command, path };
}

/** What the plugin inherits: not what this host was told itself, should it be some other host's plugin. */
function inheritedBy<P extends PluginSet>({ skipHostEnv, cmd }: ClientConfig<P>): Env {
  const host = skipHostEnv === true ? {} : withoutEnv(process.env, Object.values(ENV));
  return joinEnv([host, commandOf(cmd).env ?? {}]);
}

function commandOf(cmd: ClientConfig["cmd"]): PluginCommand {
  if (cmd === undefined) return { path: "" };
  if ("path" in cmd) return cmd;
  const [path = "", ...args] = cmd;
  return { path, args };
}
