import { setTimeout as sleep } from "node:timers/promises";
import type { ClientFace, PluginSet } from "../definition/plugin.js";
import { AbortedError, type GoplugError } from "../errors.js";
import { consoleLogger } from "../hclog/console-logger.js";
import type { Logger } from "../hclog/logger.js";
import { CommandRunner } from "../process/command-runner.js";
import type { ExitStatus } from "../process/runner.js";
import { DEFAULT_MAX_PORT, DEFAULT_MIN_PORT, type Protocol } from "../protocol/constants.js";
import { pluginEnvironment } from "../protocol/environment.js";
import type { HandshakeLine } from "../protocol/handshake-line.js";
import { collectVersions } from "../protocol/negotiate.js";
import { dial } from "../yamux/index.js";
import type { ClientConfig, PluginCommand } from "./config.js";
import { ClientEndedError, PluginExitedError, StartError } from "./errors.js";
import { type LaunchedPlugin, launch } from "./launch.js";
import { NetRpcProtocolClient } from "./net-rpc-client.js";
import type { PluginProcess } from "./plugin-process.js";
import type { ProtocolClient, WaitOptions } from "./protocol-client.js";

/** Milliseconds that a plugin which answered Quit has to end before it is killed (go-plugin: Client.Kill). */
const exitGrace = 2000;
/** Milliseconds after the loss of the connection in which the process's end is taken as its reason. */
const lossGrace = 500;

interface Running<P extends PluginSet> extends LaunchedPlugin {
  readonly plugins: P;
  /** Set by the first call that needs a connection. */
  connection: Promise<ProtocolClient<P>> | undefined;
}

type State<P extends PluginSet> =
  | { readonly name: "idle" }
  | { readonly name: "starting"; readonly abort: AbortController; readonly done: Promise<Running<P>> }
  | { readonly name: "running"; readonly running: Running<P> }
  | { readonly name: "failed"; readonly error: unknown }
  | { readonly name: "ending"; readonly done: Promise<void> }
  | { readonly name: "ended" };

/**
 * Runs one plugin process and connects to it (go-plugin: Client). Start, connection and end happen when they are
 * first needed: `await client.dispense("name")` does it all. Once killed, a client is not started again.
 *
 * @example
 * await using client = new Client({ handshakeConfig, plugins: { greeter }, cmd: ["./greeter"] });
 * const greeter = await client.dispense("greeter");
 */
export class Client<P extends PluginSet = PluginSet> {
  readonly #config: ClientConfig<P>;
  readonly #logger: Logger;
  #state: State<P> = { name: "idle" };
  #process: PluginProcess | undefined;
  #handshake: HandshakeLine | undefined;

  constructor(config: ClientConfig<P>) {
    if (config.plugins === undefined && config.versionedPlugins === undefined) {
      throw new TypeError("plugins or versionedPlugins must be given");
    }
    this.#config = config;
    this.#logger = config.logger ?? consoleLogger();
  }

  /** What identifies the running plugin: its pid. Empty before the start. */
  get id(): string {
    return this.#process?.id ?? "";
  }

  /** Whether the plugin's process has ended. */
  get exited(): boolean {
    return this.#process?.exited !== undefined;
  }

  /** How the plugin's process ended, or undefined while it runs (or was never started). */
  get exitStatus(): ExitStatus | undefined {
    return this.#process?.exited;
  }

  /** The app protocol version that the plugin chose, or undefined before the start. */
  get negotiatedVersion(): number | undefined {
    return this.#handshake?.appVersion;
  }

  /** The protocol that the plugin announced, or undefined before the start. */
  get protocol(): Protocol | undefined {
    return this.#handshake?.protocol as Protocol | undefined;
  }

  /** The address that the plugin announced, or undefined before the start. */
  get address(): { network: "unix" | "tcp"; address: string } | undefined {
    if (this.#handshake === undefined) return undefined;
    const { network, address } = this.#handshake;
    return { network, address };
  }

  /**
   * Starts the plugin and reads its handshake line. Idempotent: later calls give the first one's outcome.
   *
   * @throws SpawnError, StartError, AbortedError
   */
  async start(options: Pick<WaitOptions, "signal"> = {}): Promise<void> {
    await this.#started(options.signal);
  }

  /** The connection to the plugin, made by the first call (go-plugin: Client.Client). */
  async client(options: Pick<WaitOptions, "signal"> = {}): Promise<ProtocolClient<P>> {
    const running = await this.#started(options.signal);
    running.connection ??= this.#connect(running);
    return abortable(running.connection, options.signal, "the connection to the plugin");
  }

  /**
   * Starts and connects where needed, and makes the face of a plugin type.
   *
   * @throws UnknownPluginError - the host's plugin set has no such name
   * @throws RemoteError - the plugin has no such name, or refused
   */
  async dispense<N extends keyof P & string>(name: N, options: WaitOptions = {}): Promise<ClientFace<P[N]>> {
    return (await this.client(options)).dispense(name, options);
  }

  /** Asks the plugin for a sign of life; starts and connects where needed. */
  async ping(options: WaitOptions = {}): Promise<void> {
    await (await this.client(options)).ping(options);
  }

  /**
   * Ends the plugin: asks it to quit, waits up to 2 s for its end, then kills it. Resolves when the process is gone
   * and what it left behind is removed. May be called at any time and any number of times; never rejects.
   */
  kill(): Promise<void> {
    const state = this.#state;
    switch (state.name) {
      case "ended":
      case "failed":
        return Promise.resolve();
      case "ending":
        return state.done;
      case "idle":
        this.#state = { name: "ended" };
        return Promise.resolve();
      default: {
        const done = this.#end(state).then(() => {
          this.#state = { name: "ended" };
        });
        this.#state = { name: "ending", done };
        return done;
      }
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }

  #started(signal: AbortSignal | undefined): Promise<Running<P>> {
    const state = this.#state;
    switch (state.name) {
      case "idle": {
        const abort = new AbortController();
        const done = this.#launch(abort.signal);
        this.#state = { name: "starting", abort, done };
        done.then(
          (running) => {
            if (this.#state.name === "starting") this.#state = { name: "running", running };
          },
          (error: unknown) => {
            if (this.#state.name === "starting") this.#state = { name: "failed", error };
          },
        );
        if (signal === undefined) return done;
        // The one who asked for the start first may call it off; those who joined only stop waiting.
        const onAbort = (): void => abort.abort(signal.reason);
        if (signal.aborted) onAbort();
        signal.addEventListener("abort", onAbort, { once: true });
        return done.finally(() => signal.removeEventListener("abort", onAbort));
      }
      case "starting":
        return abortable(state.done, signal, "the start of the plugin");
      case "running":
        return Promise.resolve(state.running);
      case "failed":
        return Promise.reject(state.error);
      default:
        return Promise.reject(
          new ClientEndedError("the client was killed; make a new one to start the plugin again"),
        );
    }
  }

  async #launch(signal: AbortSignal): Promise<Running<P>> {
    const config = this.#config;
    const { handshakeConfig, allowedProtocols = ["netrpc"], startTimeout = 60_000 } = config;
    const sets = collectVersions(
      {
        protocolVersion: handshakeConfig.protocolVersion,
        plugins: config.plugins,
        versionedPlugins: config.versionedPlugins,
      },
      "host",
    );
    const command = commandOf(config.cmd);
    const runner = new CommandRunner({
      path: command.path,
      args: command.args ?? [],
      cwd: command.cwd,
      env: {
        ...(config.skipHostEnv === true ? {} : process.env),
        ...command.env,
        ...pluginEnvironment({
          handshakeConfig,
          versions: sets.keys(),
          minPort: config.minPort ?? DEFAULT_MIN_PORT,
          maxPort: config.maxPort ?? DEFAULT_MAX_PORT,
        }),
      },
    });
    const launched = await launch(runner, {
      logger: this.#logger,
      stderr: config.stderr,
      logBufferSize: config.pluginLogBufferSize ?? 65_536,
      expected: { versions: sets.keys(), allowedProtocols },
      startTimeout,
      signal,
    });
    this.#process = launched.process;
    this.#handshake = launched.handshake;
    return { ...launched, plugins: sets.get(launched.handshake.appVersion)!, connection: undefined };
  }

  async #connect({ process: plugin, handshake, plugins }: Running<P>): Promise<ProtocolClient<P>> {
    const { startTimeout = 60_000, syncStdout, syncStderr } = this.#config;
    const signal = AbortSignal.timeout(startTimeout);
    try {
      const session = await dial({ ...dialTarget(handshake), signal });
      const options = {
        plugins,
        syncStdout,
        syncStderr,
        logger: this.#logger,
        onLost: (error: GoplugError) => explainLoss(plugin, error),
      };
      return await NetRpcProtocolClient.open(session, options, signal);
    } catch (error) {
      const { network, address } = handshake;
      const exit = plugin.exited ?? (await soon(plugin.exit, lossGrace));
      if (exit !== undefined)
        throw new PluginExitedError(plugin.name, exit, plugin.stderrTail, { cause: error });
      throw new StartError(
        "ERR_START_CONNECT",
        `cannot connect to plugin ${plugin.name} at ${network} ${address}: ${(error as Error).message}`,
        plugin.stderrTail,
        { cause: error },
      );
    }
  }

  async #end(state: State<P> & { name: "starting" | "running" }): Promise<void> {
    if (state.name === "starting") {
      state.abort.abort(new ClientEndedError("the client was killed"));
      const running = await state.done.catch(() => undefined);
      // The start may have succeeded just before the abort reached it.
      await running?.process.kill();
      return;
    }
    const { process: plugin, connection } = state.running;
    if (plugin.exited !== undefined) {
      await (await connection?.catch(() => undefined))?.close({ timeout: 1 }).catch(() => undefined);
      return;
    }
    try {
      // As in go-plugin, a plugin that was never connected to is still asked to quit first.
      const client = await (connection ?? this.#connect(state.running));
      await client.close();
      if ((await soon(plugin.exit, exitGrace)) !== undefined) return;
    } catch (error) {
      this.#logger.warn("error closing client during kill", { error });
    }
    this.#logger.warn("plugin failed to exit gracefully", { plugin: plugin.name, id: plugin.id });
    await plugin.kill();
  }
}

function commandOf(cmd: ClientConfig["cmd"]): PluginCommand {
  if (!("path" in cmd)) return { path: cmd[0], args: cmd.slice(1) };
  return cmd;
}

function dialTarget({ network, address }: HandshakeLine): { path: string } | { host: string; port: number } {
  if (network === "unix") return { path: address };
  const colon = address.lastIndexOf(":");
  const host = address.slice(0, colon).replace(/^\[(.*)\]$/, "$1");
  return { host: host === "" ? "localhost" : host, port: Number(address.slice(colon + 1)) };
}

/** What became of a lost connection: the end of the process, if it ends now too. */
async function explainLoss(plugin: PluginProcess, error: GoplugError): Promise<Error> {
  const exit = await soon(plugin.exit, lossGrace);
  if (exit === undefined) return error;
  return new PluginExitedError(plugin.name, exit, plugin.stderrTail, { cause: error });
}

async function soon<T>(promise: Promise<T>, limit: number): Promise<T | undefined> {
  const stop = new AbortController();
  try {
    return await Promise.race([promise, sleep(limit, undefined, { ref: true, signal: stop.signal })]);
  } finally {
    stop.abort();
  }
}

function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined, what: string): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(new AbortedError(what, signal.reason));
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
