import type { ClientFace, PluginSet } from "../definition/plugin.js";
import { type CallCounters, newCounters, traced, tracing } from "../diagnostics.js";
import { AbortedError } from "../errors.js";
import { GrpcMissingError } from "../grpc/errors.js";
import { consoleLogger } from "../hclog/console-logger.js";
import { guardedLogger } from "../hclog/guarded-logger.js";
import type { Logger } from "../hclog/logger.js";
import { checkOptions } from "../options.js";
import { takeHostRole } from "../process/host-role.js";
import { startTime } from "../process/identity.js";
import type { ExitStatus } from "../process/runner.js";
import type { Protocol } from "../protocol/constants.js";
import { onceCut, unlessCut, type WaitOptions } from "../wait.js";
import { checkConfig, warnOfUnknown } from "./check-config.js";
import type { ClientConfig, ReattachConfig } from "./config.js";
import { connectPlugin } from "./connect.js";
import { debuggedConfig } from "./debugged.js";
import { endPlugin } from "./end-plugin.js";
import { ClientEndedError, StartError } from "./errors.js";
import { manage, unmanage } from "./managed.js";
import type { PluginHandle } from "./plugin-handle.js";
import type { ProtocolClient } from "./protocol-client.js";
import { reattach } from "./reattach.js";
import { type Started, startPlugin } from "./start.js";

interface Running<P extends PluginSet> extends Started<P> {
  /** Set by the first call that needs a connection. */
  connection: Promise<ProtocolClient<P>> | undefined;
  /** Ends an attempt to connect. */
  readonly ending: AbortController;
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
  readonly #counters = newCounters();
  /** The plugin's process, as soon as there is one, and for good. */
  #process: PluginHandle | undefined;
  /** What the plugin's start has given; stays when it has ended. */
  #started: Started<P> | undefined;

  /** @throws OptionError - an option is missing, cannot be used, or excludes another (texts as go-plugin's) */
  constructor(config: ClientConfig<P>) {
    checkConfig(config);
    this.#config = debuggedConfig(config);
    this.#logger = guardedLogger(config.logger ?? consoleLogger());
    warnOfUnknown(config, this.#logger);
    if (config.managed === true) manage(this);
  }

  /** What identifies the running plugin: its pid, or what a runner says. Empty before the start. */
  get id(): string {
    return this.#process?.id ?? "";
  }

  /** The plugin's pid, where it is a process of this machine. */
  get pid(): number | undefined {
    if (this.#config.reattach !== undefined) return this.#started?.pid;
    return this.#process === undefined || this.#config.runner !== undefined ? undefined : Number(this.id);
  }

  /** Whether the plugin's process has ended. */
  get exited(): boolean {
    return this.exitStatus !== undefined;
  }

  /** How the plugin's process ended, or undefined while it runs (or was never started). */
  get exitStatus(): ExitStatus | undefined {
    return this.#process?.exited;
  }

  /** The app protocol version that the plugin chose, or undefined before the start. */
  get negotiatedVersion(): number | undefined {
    return this.#started?.version;
  }

  /** The calls to the plugin up to now: how many were made, have failed and run, and the bytes of those that have ended. */
  get counters(): Readonly<CallCounters> {
    return { ...this.#counters };
  }

  /** The protocol that the plugin announced, or undefined before the start. */
  get protocol(): Protocol | undefined {
    return this.#started?.protocol;
  }

  /** The address that the plugin announced, or undefined before the start. */
  get address(): Started<P>["address"] | undefined {
    return this.#started?.address;
  }

  /**
   * What another client, in this process or another, needs to attach to the plugin; undefined before the start. With
   * TLS the other client must be given the same `tlsConfig`; with AutoMTLS nobody else can attach.
   */
  async reattachConfig(): Promise<ReattachConfig | undefined> {
    if (this.#config.reattach !== undefined) return this.#config.reattach;
    if (this.#started === undefined) return undefined;
    const { protocol, version: protocolVersion, address, pid } = this.#started;
    const started = pid === undefined ? undefined : await startTime(pid);
    return {
      protocol,
      protocolVersion,
      address,
      ...(pid !== undefined && { pid }),
      ...(started !== undefined && { startTime: started }),
    };
  }

  /**
   * Starts the plugin and reads its handshake line. Idempotent: later calls give the first one's outcome. The signal
   * and timeout of the call that began the start call it off; those of later ones only end their own wait.
   *
   * @throws SpawnError, StartError, AbortedError, OptionError
   */
  async start(options: WaitOptions = {}): Promise<void> {
    checkOptions(options);
    await this.#running(options);
  }

  /** The connection to the plugin, made by the first call (go-plugin: Client.Client). */
  async client(options: WaitOptions = {}): Promise<ProtocolClient<P>> {
    checkOptions(options);
    const running = await this.#running(options);
    if (running.connection === undefined) {
      const connecting = this.#connect(running);
      running.connection = connecting;
      connecting.catch((error: unknown) => {
        if (running.connection === connecting) running.connection = undefined;
        // A plugin that was reattached to is still there: the next call tries anew, as in go-plugin.
        if (running.attached || this.#state.name !== "running") return;
        if (error instanceof StartError || error instanceof GrpcMissingError)
          this.#state = { name: "failed", error };
      });
    }
    return unlessCut(running.connection, { ...options, what: "the connection to the plugin" });
  }

  /**
   * Starts and connects where needed, and makes the face of a plugin type.
   *
   * @throws UnknownPluginError - the host's plugin set has no such name
   * @throws RemoteError - the plugin has no such name, or refused
   */
  async dispense<N extends keyof P & string>(name: N, options: WaitOptions = {}): Promise<ClientFace<P[N]>> {
    const client = await this.client(options);
    const plugin = this.#started?.plugin.name;
    return traced(
      tracing.dispense,
      () => ({ plugin, name }),
      () => client.dispense(name, options),
    );
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
    unmanage(this);
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
        const done = this.#end(state)
          .catch((error: unknown) => this.#logger.error("error ending the plugin", { error }))
          .then(() => {
            this.#state = { name: "ended" };
          });
        this.#state = { name: "ending", done };
        return done;
      }
    }
  }

  /** `kill()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }

  #running(wait: WaitOptions): Promise<Running<P>> {
    const limits = { ...wait, what: "the start of the plugin" };
    const state = this.#state;
    switch (state.name) {
      case "idle": {
        const abort = new AbortController();
        // The one who asked for the start first may call it off; those who joined only stop waiting.
        const release = onceCut(limits, (error) => abort.abort(error));
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
        return done.finally(release);
      }
      case "starting":
        return unlessCut(state.done, limits);
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
    takeHostRole();
    const started = await traced(
      tracing.start,
      () => ({ plugin: commandName(config), reattach: config.reattach !== undefined }),
      () =>
        hasReattach(config)
          ? reattach(config, this.#logger, signal)
          : startPlugin(config, this.#logger, signal, (process) => {
              this.#process = process;
            }),
    );
    this.#started = started;
    this.#process = started.plugin;
    return { ...started, connection: undefined, ending: new AbortController() };
  }

  #connect(running: Running<P>): Promise<ProtocolClient<P>> {
    return connectPlugin(running, this.#config, this.#logger, running.ending.signal, this.#counters);
  }

  async #end(state: State<P> & { name: "starting" | "running" }): Promise<void> {
    if (state.name === "starting") {
      state.abort.abort(
        new AbortedError("the start of the plugin", new ClientEndedError("the client was killed")),
      );
      const running = await state.done.catch(() => undefined);
      // The start may have succeeded just before the abort reached it.
      if (running?.test === false) await running.plugin.kill();
      return;
    }
    const { running } = state;
    const stopConnecting = (): void => running.ending.abort(new ClientEndedError("the client was killed"));
    await endPlugin({ ...running, connect: () => this.#connect(running), stopConnecting }, this.#logger);
  }
}

function commandName({ cmd }: Pick<ClientConfig, "cmd">): string | undefined {
  if (cmd === undefined) return undefined;
  return "path" in cmd ? cmd.path : cmd[0];
}

function hasReattach<P extends PluginSet>(
  config: ClientConfig<P>,
): config is ClientConfig<P> & { readonly reattach: ReattachConfig } {
  return config.reattach !== undefined;
}
