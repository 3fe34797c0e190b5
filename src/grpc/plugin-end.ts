import type { Duplex } from "node:stream";
import type { ServerDuplexStream, ServerOptions } from "@grpc/grpc-js";
import { BrokerError } from "../broker/errors.js";
import type { Logger } from "../hclog/logger.js";
import type { OpenSocket } from "../socket/open.js";
import type { PluginTls } from "../tls/plugin-options.js";
import type { Channel } from "../yamux/index.js";
import { GRPCBroker } from "./broker.js";
import { BrokerStream } from "./broker-stream.js";
import type { GrpcTransport } from "./connection.js";
import type { ConnInfo } from "./gen/plugin/grpc_broker.js";
import { HealthService } from "./health-service.js";
import type { Muxer } from "./muxer.js";
import { brokerMethods, controllerMethods, healthMethods, stdioMethods } from "./own-services.js";
import type { acceptMuxer } from "./plugin-muxer.js";
import { addReflection } from "./reflection.js";
import { watchServices } from "./registered.js";
import { type AnyServer, addOwnService, Injector, makeServer, serverReady, stopServer } from "./server.js";
import { type OutputSource, StdioService } from "./stdio-service.js";
import { clientRole } from "./tls-roles.js";

/** How a plugin serves gRPC (go-plugin: ServeConfig.GRPCServer). */
export interface GrpcServeOptions {
  /**
   * Options of the grpc-js server, interceptors among them, on top of goplug's own: messages have no limit of size
   * (`grpc.max_receive_message_length`, `grpc.max_send_message_length`). Brokered servers get them, too.
   */
  readonly options?: ServerOptions;
  /** Milliseconds that calls which run when the plugin is told to stop may go on. Default: 5000. */
  readonly gracePeriod?: number;
  /**
   * A serialized google.protobuf.FileDescriptorSet (`buf build -o set.binpb`, `protoc --include_imports
   * --descriptor_set_out`), for reflection to describe services whose generated code has no descriptors (ts-proto,
   * grpc-tools); or what gives it, when it is asked for.
   */
  readonly descriptors?: Uint8Array | (() => Uint8Array | Promise<Uint8Array>);
}

export interface PluginEndOptions extends GrpcServeOptions {
  readonly transport: GrpcTransport | undefined;
  readonly logger: Logger;
  readonly tls: PluginTls | undefined;
  /** Brokered connections are streams of the main one. */
  readonly multiplex: boolean;
  /** Either side may stand still at a breakpoint: nothing has a limit of its own. */
  readonly debug: boolean;
  /** Opens a socket that the host can dial. */
  readonly listen: () => Promise<OpenSocket>;
  /** What is copied to the host. */
  readonly stdout: OutputSource;
  readonly stderr: OutputSource;
  /** The host has called Shutdown; it gets its answer when this settles. */
  readonly onShutdown: () => Promise<void>;
  /** Adds the plugins' services. */
  readonly register: (server: AnyServer, broker: GRPCBroker) => Promise<void>;
}

const DEFAULT_GRACE = 5000;

/**
 * The plugin's side of gRPC mode (go-plugin: GRPCServer): health, reflection, broker, stdio and controller beside the
 * plugins' own services, on connections that the caller brings.
 */
export class PluginEnd {
  readonly #options: PluginEndOptions;
  readonly #server: AnyServer;
  readonly #injector: Injector;
  readonly #health = new HealthService();
  readonly #stdio: StdioService;
  readonly #broker: GRPCBroker;
  readonly #stream = new BrokerStream();
  /** Only with multiplexing. */
  readonly #acceptMuxer: typeof acceptMuxer | undefined;
  #muxer: Muxer | undefined;

  private constructor(
    options: PluginEndOptions,
    server: AnyServer,
    muxing: { acceptMuxer: typeof acceptMuxer } | undefined,
  ) {
    const { logger, tls, transport } = options;
    this.#options = options;
    this.#server = server;
    this.#acceptMuxer = muxing?.acceptMuxer;
    this.#stdio = new StdioService(options.stdout, options.stderr);
    this.#injector = new Injector(this.#server, tls, logger);
    this.#broker = new GRPCBroker({
      stream: this.#stream,
      logger,
      listen: options.listen,
      ...(tls !== undefined && { tls: { client: clientRole(tls), server: () => tls } }),
      serverOptions: options.options,
      transport,
      timeout: options.debug ? Infinity : undefined,
      ...(options.multiplex && { muxer: () => this.#muxerOrThrow() }),
    });
  }

  /** Makes the server and has the plugins add their services. Rejects with what they throw. */
  static async open(options: PluginEndOptions): Promise<PluginEnd> {
    const { transport, logger, multiplex } = options;
    const server = await makeServer(options.options, { transport, logger });
    // yamux is read only where it is spoken.
    const muxing = multiplex ? await import("./plugin-muxer.js") : undefined;
    const end = new PluginEnd(options, server, muxing);
    await end.#register();
    return end;
  }

  /** Connections that are open now. */
  get openConnections(): number {
    return this.#injector.size;
  }

  /** Takes a connection of the listening socket. With multiplexing there can be one at a time, as in go-plugin. */
  serveConnection(connection: Duplex): void {
    const { debug, logger } = this.#options;
    if (this.#acceptMuxer === undefined) {
      this.#injector.inject(connection);
      return;
    }
    if (this.#muxer !== undefined) {
      logger.warn("plugin: connection refused: the multiplexed one is open already");
      connection.on("error", () => {});
      connection.destroy();
      return;
    }
    const onStream = (stream: Channel): void => this.#injector.inject(stream);
    const muxer = this.#acceptMuxer(connection, { debug, logger, onStream });
    this.#muxer = muxer;
    void muxer.closed.then(() => {
      if (this.#muxer === muxer) this.#muxer = undefined;
    });
  }

  /** The health service says so from now on; calls go on. */
  stopServing(): void {
    this.#health.stop();
  }

  /** {@link stopServing}, lets running calls end within the grace period, and closes. */
  async close(graceMs = this.#options.gracePeriod ?? DEFAULT_GRACE): Promise<void> {
    this.stopServing();
    this.#health.close();
    this.#broker.close();
    this.#stdio.close();
    await stopServer(this.#server, this.#injector, graceMs);
    await this.#muxer?.close();
  }

  /** {@link close} for the moment when the process exits. */
  closeNow(): void {
    this.#server.forceShutdown();
    this.#injector.destroy();
  }

  async #register(): Promise<void> {
    const server = this.#server;
    const registered = watchServices(server);
    addOwnService(server, healthMethods, this.#health);
    addReflection(server, registered, this.#options.descriptors);
    addOwnService(server, brokerMethods, {
      startStream: (call: ServerDuplexStream<ConnInfo, ConnInfo>) => {
        // The host half-closes when it is done; without an end of its own the call would stay.
        call.on("end", () => call.end());
        this.#stream.attach(call);
      },
    });
    addOwnService(server, controllerMethods, {
      shutdown: (_call: unknown, answer: (error: null, value: object) => void) => {
        this.#options.onShutdown().finally(() => answer(null, {}));
      },
    });
    addOwnService(server, stdioMethods, this.#stdio);
    await this.#options.register(server, this.#broker);
    await serverReady(server);
  }

  #muxerOrThrow(): Muxer {
    if (this.#muxer === undefined) throw new BrokerError("ERR_BROKER_CLOSED", "no connection established");
    return this.#muxer;
  }
}
