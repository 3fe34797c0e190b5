import type { Writable } from "node:stream";
import { MuxBroker } from "../broker/mux-broker.js";
import {
  CONTROL_SERVICE,
  controlMethods,
  DISPENSER_SERVICE,
  dispenserMethods,
} from "../definition/control.js";
import type { ClientFace, PluginSet } from "../definition/plugin.js";
import { guardedLogger } from "../hclog/guarded-logger.js";
import { type Logger, nullLogger } from "../hclog/logger.js";
import {
  type ByteChannel,
  type Caller,
  ConnectionLostError,
  caller,
  RpcClient,
  type RpcClientOptions,
  type UnansweredCall,
  type UnansweredOptions,
} from "../netrpc/index.js";
import { timeLimit } from "../options.js";
import { copyOutput, type OutputCopyOptions } from "../process/output-copy.js";
import { type WaitOptions, within } from "../wait.js";
import type { Session } from "../yamux/index.js";
import { UnknownPluginError, WrongProtocolError } from "./errors.js";
import type { ProtocolClient } from "./protocol-client.js";

/** What a {@link NetRpcProtocolClient} dispenses, and where output goes. */
export interface NetRpcClientOptions<P extends PluginSet> {
  /** The plugin types by the name that they are dispensed under. */
  plugins: P;
  /** Takes what the plugin writes to its stdout once the handshake is over; default: dropped. */
  syncStdout?: Writable | undefined;
  /** The same for its stderr (not its log, which comes by the process's real stderr). */
  syncStderr?: Writable | undefined;
  /** Takes the warnings of the broker and of the output. Default: nothing is logged. */
  logger?: Logger | undefined;
  /** Milliseconds that brokered connections may take; default: the broker's own. */
  brokerTimeout?: number | undefined;
  /** See ClientConfig. */
  unansweredWarning?: number | undefined;
  /** Makes a better error of the loss of the connection. */
  onLost?: RpcClientOptions["onLost"];
  /** Counts the calls to what is dispensed and dialled, and names the plugin in traces of them. */
  observer?: RpcClientOptions["observer"];
}

/** Milliseconds without an answer after which a call is worth a word. */
const DEFAULT_UNANSWERED_WARNING = 10_000;
/** Milliseconds that the plugin has to answer Control.Quit before its connection is closed anyway. */
const QUIT_TIMEOUT = 2000;
/** Milliseconds that the sync streams of a plugin that answered Quit may take to end by themselves. */
const SYNC_GRACE = 500;

/**
 * A go-plugin connection in net/rpc mode, host's side (go-plugin: RPCClient): over one yamux session the control
 * stream, the synced stdout and stderr, and the broker's streams.
 */
export class NetRpcProtocolClient<P extends PluginSet> implements ProtocolClient<P> {
  /** The broker of the connection, as definitions get it. */
  readonly broker: MuxBroker;
  readonly #session: Session;
  readonly #logger: Logger;
  readonly #options: NetRpcClientOptions<P>;
  readonly #control: RpcClient;
  readonly #controlCalls: Caller<typeof controlMethods>;
  readonly #dispenserCalls: Caller<typeof dispenserMethods>;
  readonly #synced: Promise<unknown>;

  private constructor(
    session: Session,
    [control, stdout, stderr]: readonly [ByteChannel, ByteChannel, ByteChannel],
    options: NetRpcClientOptions<P>,
  ) {
    const { onLost, observer } = options;
    const logger = guardedLogger(options.logger ?? nullLogger);
    this.#session = session;
    this.#options = options;
    this.#logger = logger;
    this.broker = new MuxBroker(session, { logger, onLost, observer, timeout: options.brokerTimeout });
    this.#control = new RpcClient(control, { onLost });
    this.#controlCalls = caller(this.#control, CONTROL_SERVICE, controlMethods);
    this.#dispenserCalls = caller(this.#control, DISPENSER_SERVICE, dispenserMethods);
    this.#synced = Promise.all([
      copySynced(stdout, { writer: options.syncStdout, from: "stdout", option: "syncStdout", logger }),
      copySynced(stderr, { writer: options.syncStderr, from: "stderr", option: "syncStderr", logger }),
    ]);
  }

  /**
   * Opens the first three streams of a session, in go-plugin's order. The session belongs to the client from then
   * on.
   */
  static async open<P extends PluginSet>(
    session: Session,
    options: NetRpcClientOptions<P>,
    signal?: AbortSignal,
  ): Promise<NetRpcProtocolClient<P>> {
    const wait = signal === undefined ? {} : { signal };
    const control = await session.openChannel(wait);
    const stdout = await session.openChannel(wait);
    const stderr = await session.openChannel(wait);
    return new NetRpcProtocolClient(session, [control, stdout, stderr], options);
  }

  get closed(): Promise<void> {
    return this.#control.closed;
  }

  async dispense<N extends keyof P & string>(name: N, options: WaitOptions = {}): Promise<ClientFace<P[N]>> {
    const { plugins, onLost, observer } = this.#options;
    const plugin = Object.hasOwn(plugins, name) ? plugins[name] : undefined;
    if (plugin === undefined) throw new UnknownPluginError(name, Object.keys(plugins));
    if (!("client" in plugin)) {
      throw new WrongProtocolError(
        `net/rpc plugin protocol not supported: the plugin speaks net/rpc, and ${JSON.stringify(name)} has only a gRPC side`,
      );
    }
    const id = await this.#dispenserCalls.Dispense(name, options);
    const channel = await this.broker.dialChannel(id, options).catch((error) => this.#explain(error));
    const rpc = new RpcClient(channel, {
      onLost,
      observer,
      registry: plugin.registry,
      invalidUtf8: plugin.invalidUtf8,
      unanswered: this.#warningOf(name),
    });
    try {
      return (await plugin.client(this.broker, rpc)) as ClientFace<P[N]>;
    } catch (error) {
      await rpc.close();
      throw error;
    }
  }

  #warningOf(name: string): UnansweredOptions {
    const { unansweredWarning } = this.#options;
    const after = timeLimit("unansweredWarning", unansweredWarning, DEFAULT_UNANSWERED_WARNING);
    const tell = ({ serviceMethod, argument }: UnansweredCall): void => {
      this.#logger.warn(`a call has had no answer for ${after / 1000} s`, {
        type: name,
        method: serviceMethod,
        ...(argument !== undefined && { argument }),
        hint: "the plugin may be busy or stopped, or wait for this host; a timeout of the call ends the wait",
      });
    };
    return { after, tell };
  }

  /** Throws what became of the plugin, where the loss of the connection made a brokered stream fail. */
  async #explain(error: unknown): Promise<never> {
    const { onLost } = this.#options;
    const { state } = this.#session;
    if (onLost === undefined || (state !== "closing" && state !== "closed")) throw error;
    throw await onLost(new ConnectionLostError(error));
  }

  async ping(options: WaitOptions = {}): Promise<void> {
    await this.#controlCalls.Ping(true, options);
  }

  /**
   * Calls Control.Quit and closes the session. What the plugin still has to say on its synced streams is read out
   * first, as long as it ends by itself soon.
   */
  async quit(options: WaitOptions = {}): Promise<void> {
    try {
      await this.#controlCalls.Quit(true, { timeout: QUIT_TIMEOUT, ...options });
    } catch (error) {
      // Not waited for: when the plugin does not read, what is queued delays the end by yamux's write timeout.
      void this.disconnect();
      throw error;
    }
    await within(SYNC_GRACE, this.#synced);
    await within(SYNC_GRACE, this.disconnect());
  }

  async disconnect(): Promise<void> {
    await this.#session.close();
    await this.#control.close();
  }
}

/** Copies a synced stream, no faster than the writer takes it; resolves at the stream's end. */
function copySynced(channel: ByteChannel, options: Omit<OutputCopyOptions, "onReady">): Promise<void> {
  return new Promise((resolve) => {
    const copy = copyOutput({ ...options, onReady: () => channel.resume() });
    channel.attach({
      onData(chunk, mayKeep) {
        // A lent chunk is copied, because the writer may keep it.
        if (!copy.write(mayKeep ? chunk : Buffer.from(chunk))) channel.pause();
      },
      onEnd: () => channel.end(),
      onClose() {
        copy.end();
        resolve();
      },
    });
  });
}
