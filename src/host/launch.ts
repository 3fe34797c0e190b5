import { lstatSync } from "node:fs";
import { traced, tracing } from "../diagnostics.js";
import type { Logger } from "../hclog/logger.js";
import { removeLeftover } from "../process/host-end/leftover.js";
import { removeWithHost } from "../process/host-end/registry.js";
import type { Runner } from "../process/runner.js";
import type { HandshakeConfig } from "../protocol/constants.js";
import { HandshakeError } from "../protocol/errors.js";
import {
  type HandshakeExpectations,
  type HandshakeLine,
  parseHandshakeLine,
} from "../protocol/handshake-line.js";
import { unlessCut, within } from "../wait.js";
import { adviceOnExit, adviceOnHandshake, withAdvice } from "./advice.js";
import { StartError } from "./errors.js";
import type { FirstLine } from "./first-line.js";
import { PluginProcess, type PluginProcessOptions } from "./plugin-process.js";
import { RunnerEnd } from "./runner-end.js";

/** Milliseconds that a file system's clock may be behind the process's. */
const CLOCK_SLACK = 1000;

/** Milliseconds that a runner has to heed its signal. */
const CUT_GRACE = 500;

/** A plugin that has printed its handshake line. */
export interface LaunchedPlugin {
  readonly process: PluginProcess;
  readonly handshake: HandshakeLine;
}

export interface LaunchOptions extends PluginProcessOptions {
  handshakeConfig: HandshakeConfig;
  expected: HandshakeExpectations;
  /** Ends the start; its reason is the error of the start. */
  signal: AbortSignal;
  /** Told of the process, as soon as there is one. */
  onProcess(process: PluginProcess): void;
  /** Whether the plugin's socket goes when this process ends: not where the plugin outlives it. */
  removeWithHost: boolean;
  /** Removes what was made for the plugin, once its process is gone. */
  cleanUp(): Promise<void>;
}

/**
 * Starts a plugin and reads its handshake line (go-plugin: client.go, Start). On any failure the process is killed
 * before this rejects.
 *
 * @throws SpawnError - nothing could be started
 * @throws StartError - no acceptable handshake line came; its cause is the HandshakeError where there was a line
 * @throws the signal's reason, when it fires
 */
export async function launch(runner: Runner, options: LaunchOptions): Promise<LaunchedPlugin> {
  const { logger, signal } = options;
  logger.debug("starting plugin", { path: runner.name });
  const startedAt = Date.now();
  await startRunner(runner, logger, signal);
  const process = new PluginProcess(runner, options);
  options.onProcess(process);
  process.onExit(() => options.cleanUp());
  try {
    const handshake = await traced(
      tracing.handshake,
      () => ({ plugin: runner.name, id: runner.id }),
      () => shakeHands(process, runner, options),
    );
    removeSocketAtExit(process, handshake, startedAt, options);
    process.handshakeDone();
    logger.debug("using plugin", { version: handshake.appVersion, protocol: handshake.protocol });
    return { process, handshake };
  } catch (error) {
    await process.kill();
    throw error;
  }
}

async function shakeHands(
  process: PluginProcess,
  runner: Runner,
  options: LaunchOptions,
): Promise<HandshakeLine> {
  const first = await unlessCut(process.firstLine(), { what: "the handshake", ended: options.signal });
  const announced = await readHandshake(first, process, options);
  return { ...announced, ...hostAddress(runner, announced) };
}

/**
 * Starts a runner, whether or not it heeds the signal: one that does has a moment to do so, and one that starts its
 * plugin all the same has it ended, whenever that comes.
 */
async function startRunner(runner: Runner, logger: Logger, signal: AbortSignal): Promise<void> {
  const starting = (async () => runner.start(signal))();
  try {
    await unlessCut(starting, { what: "the start of the runner", ended: signal });
  } catch (error) {
    if (!signal.aborted) throw error;
    const ended = starting.then(
      () => new RunnerEnd(runner, logger).force(),
      () => {},
    );
    await within(CUT_GRACE, ended);
    throw error;
  }
}

/** The announced address as the host can dial it (a container's paths are not the host's). */
function hostAddress(
  runner: Runner,
  { network, address }: HandshakeLine,
): Pick<HandshakeLine, "network" | "address"> {
  if (runner.pluginToHost === undefined) return { network, address };
  const translated = runner.pluginToHost(network, address);
  if (translated.network !== "unix" && translated.network !== "tcp") {
    throw new HandshakeError("ERR_HANDSHAKE_ADDRESS", `unknown address type: ${translated.network}`);
  }
  return { network: translated.network, address: translated.address };
}

async function readHandshake(
  first: FirstLine,
  process: PluginProcess,
  { expected, handshakeConfig }: LaunchOptions,
): Promise<HandshakeLine> {
  if (first.kind === "exited") {
    const { code, signal } = first.exit;
    const how = signal === null ? `exited with code ${code}` : `was killed by ${signal}`;
    const rest =
      first.rest.trim() === "" ? "" : ` after printing ${JSON.stringify(first.rest.slice(0, 1024))}`;
    const advice = adviceOnExit(process.stderrTail, handshakeConfig);
    throw new StartError(
      "ERR_START_EXITED",
      withAdvice(`plugin exited before we could connect: ${process.name} ${how}${rest}`, advice),
      process.stderrTail,
    );
  }
  try {
    if (first.kind === "noise") {
      const start = JSON.stringify(first.start);
      throw new HandshakeError(
        "ERR_HANDSHAKE_LINE",
        `Unrecognized remote plugin message: ${start}… (no line break)`,
      );
    }
    return parseHandshakeLine(first.line, expected);
  } catch (error) {
    if (!(error instanceof HandshakeError)) throw error;
    // Killed first, so that what it still writes to stderr is in the message.
    await process.kill();
    const message = withAdvice(
      `cannot use plugin ${process.name}: ${error.message}`,
      adviceOnHandshake(error.code),
    );
    const notes = error.code === "ERR_HANDSHAKE_LINE" ? `\n${await process.diagnose()}` : "";
    throw new StartError(error.code, `${message}${notes}`, process.stderrTail, { cause: error });
  }
}

/**
 * A plugin that is killed cannot remove its socket file, so the host does when the process is gone. What a plugin
 * announces is no more than its word: only a socket that was made since the plugin was started is taken for its own.
 */
function removeSocketAtExit(
  process: PluginProcess,
  { network, address }: HandshakeLine,
  startedAt: number,
  { logger, removeWithHost: withHost }: LaunchOptions,
): void {
  if (network !== "unix") return;
  const info = lstatSync(address, { throwIfNoEntry: false });
  if (info === undefined || !info.isSocket() || info.mtimeMs < startedAt - CLOCK_SLACK) {
    logger.debug("the announced address is no socket of the plugin's own", { address });
    return;
  }
  const leftover = { kind: "socket", path: address } as const;
  const forget = withHost ? removeWithHost("socket", address) : () => {};
  process.onExit(async () => {
    forget();
    const error = removeLeftover(leftover);
    if (error !== undefined) logger.warn("cannot remove the plugin's socket", { address, error });
  });
}
