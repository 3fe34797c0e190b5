import type { Duplex } from "node:stream";
import { MuxBroker } from "../broker/mux-broker.js";
import {
  CONTROL_SERVICE,
  controlMethods,
  DISPENSER_SERVICE,
  dispenserMethods,
  PLUGIN_SERVICE,
} from "../definition/control.js";
import type { PluginSet } from "../definition/plugin.js";
import type { Logger } from "../hclog/logger.js";
import { type Receiver, RpcServer, type ServerLimits } from "../netrpc/index.js";
import { within } from "../wait.js";
import { patientConfig } from "../yamux/config.js";
import { type Channel, Session } from "../yamux/index.js";
import type { OutputQueue } from "./output-queue.js";

/** What a plugin serves in net/rpc mode, on connections that the caller brings. */
export interface NetRpcServerOptions extends ServerLimits {
  readonly plugins: PluginSet;
  /** Either side may stand still at a breakpoint: nothing has a limit of its own. Default: false. */
  readonly debug?: boolean | undefined;
  /** What is copied to the hosts as the plugin's stdout and stderr. */
  readonly stdout: OutputQueue;
  readonly stderr: OutputQueue;
  readonly logger: Logger;
  /** A host has called Control.Quit; it gets its answer when this settles. */
  readonly onQuit: () => Promise<void>;
}

/** Milliseconds for the last bytes of a connection to go out. */
const CLOSE_MS = 1000;

/**
 * The plugin's side of net/rpc mode (go-plugin: RPCServer): over each connection a yamux session, whose first three
 * streams are control, stdout and stderr, and all others the broker's.
 */
export class NetRpcServer {
  readonly #options: NetRpcServerOptions;
  readonly #sessions = new Set<Session>();
  /** The streams that stdout and stderr are copied to. */
  readonly #outputs = new Set<Channel>();
  /** Those of `#outputs` that were still blocked when the process began to end. */
  readonly #heldBack = new Set<Channel>();
  #hosts = 0;
  /** This side is closing its connections: their ends are not logged. */
  #closing = false;

  constructor(options: NetRpcServerOptions) {
    this.#options = options;
  }

  /** Connections that have opened their first three streams, and live. */
  get openConnections(): number {
    return this.#hosts;
  }

  /**
   * Serves one connection until it ends (Go: ServeConn). Never rejects: what goes wrong on a connection is logged,
   * and concerns that one only.
   */
  async serveConnection(connection: Duplex): Promise<void> {
    const { logger } = this.#options;
    const session = Session.server(connection, this.#options.debug === true ? patientConfig : {});
    this.#sessions.add(session);
    try {
      const control = await session.acceptChannel();
      const stdout = await session.acceptChannel();
      const stderr = await session.acceptChannel();
      this.#hosts++;
      try {
        copyOutput(
          this.#options.stdout,
          stdout,
          () => this.#heldBack.has(stdout) || connection.writableLength > 0,
        );
        copyOutput(
          this.#options.stderr,
          stderr,
          () => this.#heldBack.has(stderr) || connection.writableLength > 0,
        );
        this.#outputs.add(stdout).add(stderr);
        this.#serveControl(session, control);
        await session.closed;
      } finally {
        this.#outputs.delete(stdout);
        this.#outputs.delete(stderr);
        this.#hosts--;
      }
      const code = session.error?.code;
      if (code !== undefined && code !== "ERR_YAMUX_EOF") {
        logger.warn("plugin: connection lost", { error: session.error });
      }
    } catch (error) {
      logger.debug("plugin: a connection ended before its three streams were open", { error });
    } finally {
      this.#sessions.delete(session);
    }
  }

  /** Ends all connections. What was written to them before goes out, within a second. */
  async close(): Promise<void> {
    this.#closing = true;
    await within(CLOSE_MS, Promise.all([...this.#sessions].map((session) => session.close())));
  }

  /** {@link close} for the moment when the process exits: what the sockets take at once goes out. */
  closeNow(): void {
    this.#closing = true;
    // Closing drops what waits for a host to open its window.
    for (const output of this.#outputs) if (output.isBlocked) this.#heldBack.add(output);
    for (const session of this.#sessions) void session.close();
  }

  readonly #rpcLogger = {
    warn: (message: string, fields?: Record<string, unknown>): void => {
      if (!this.#closing) this.#options.logger.warn(message, fields);
    },
  };

  #serveControl(session: Session, control: Channel): void {
    const { onQuit } = this.#options;
    const logger = this.#rpcLogger;
    const broker = new MuxBroker(session, {
      logger: this.#options.logger,
      maxUnansweredBytes: this.#options.maxUnansweredBytes,
      timeout: this.#options.debug === true ? Infinity : undefined,
    });
    const controlReceiver: Receiver<typeof controlMethods> = {
      Ping: () => ({}),
      async Quit() {
        await onQuit();
        return {};
      },
    };
    const dispenser: Receiver<typeof dispenserMethods> = { Dispense: (name) => this.#dispense(name, broker) };
    void new RpcServer({ logger })
      .register(CONTROL_SERVICE, controlMethods, controlReceiver)
      .register(DISPENSER_SERVICE, dispenserMethods, dispenser)
      .serve(control);
  }

  /** Makes the implementation first, so that its failure is the answer; then waits for the host to dial it. */
  async #dispense(name: string, broker: MuxBroker): Promise<number> {
    const { plugins, logger } = this.#options;
    const plugin = Object.hasOwn(plugins, name) ? plugins[name] : undefined;
    if (plugin === undefined) throw new Error(`unknown plugin type: ${name}`);
    if (!("server" in plugin)) throw new Error("net/rpc plugin protocol not supported");
    const { registry, invalidUtf8, maxUnansweredBytes = this.#options.maxUnansweredBytes } = plugin;
    const server = new RpcServer({ logger: this.#rpcLogger, registry, invalidUtf8, maxUnansweredBytes });
    try {
      const { methods, receiver, optional } = await plugin.server(broker);
      server.register(PLUGIN_SERVICE, methods, receiver, { optional });
    } catch (error) {
      // The host's user sees it; the plugin's author should, too.
      logger.error("plugin dispense error", { plugin: name, error });
      throw error;
    }
    const id = broker.nextId();
    broker.acceptChannel(id).then(
      (channel) => server.serve(channel),
      (error: unknown) => logger.error("plugin dispense error", { plugin: name, error }),
    );
    return id;
  }
}

/**
 * Copies a queue to a stream for as long as the host keeps the stream open (Go: copyStream): the next chunk when the
 * connection has taken the last one.
 *
 * @param isLeft whether something of it is left when the process ends
 */
function copyOutput(queue: OutputQueue, channel: Channel, isLeft: () => boolean): void {
  const stream = channel.toDuplex();
  const { ready, detach } = queue.attach({
    write(chunk) {
      if (!stream.writable) throw new Error("the stream is closed");
      stream.write(chunk, (error) => {
        if (!error) ready();
      });
      return false;
    },
    hasSent: () => !isLeft(),
  });
  // A host says nothing on these streams.
  stream.resume();
  stream.on("end", () => {
    detach();
    stream.end();
  });
  stream.on("close", detach);
}
