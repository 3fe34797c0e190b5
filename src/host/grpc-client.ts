import type { ClientFace, PluginSet } from "../definition/plugin.js";
import type { GoplugError } from "../errors.js";
import type { GRPCBroker } from "../grpc/broker.js";
import type { GrpcConnection } from "../grpc/connection.js";
import { GrpcError } from "../grpc/errors.js";
import { type HostEnd, type HostEndOptions, openHostEnd } from "../grpc/host-end.js";
import { type WaitOptions, within } from "../wait.js";
import { ClientEndedError, UnknownPluginError, WrongProtocolError } from "./errors.js";
import type { ProtocolClient } from "./protocol-client.js";

export interface GrpcClientOptions<P extends PluginSet> extends Omit<HostEndOptions, "explainLoss"> {
  readonly plugins: P;
  /** Makes a better error of the loss of the connection. */
  readonly onLost: (error: GoplugError) => Promise<Error>;
  /** Resolves with the reason when the plugin has exited. */
  readonly exited: Promise<Error>;
}

/** Milliseconds that the plugin has to answer Shutdown before its connection is closed anyway. */
const SHUTDOWN_TIMEOUT = 2000;
/** Milliseconds that the output of a plugin that answered Shutdown may take to end by itself. */
const SYNC_GRACE = 500;
const UNAVAILABLE = 14;
const CANCELLED = 1;
/** How calls fail whose connection breaks. */
const LOST_STATUSES: ReadonlySet<number> = new Set([UNAVAILABLE, CANCELLED]);

/** A go-plugin connection in gRPC mode, host's side (go-plugin: GRPCClient). */
export class GrpcProtocolClient<P extends PluginSet> implements ProtocolClient<P> {
  readonly #end: HostEnd;
  readonly #options: GrpcClientOptions<P>;
  readonly #over = new AbortController();

  private constructor(end: HostEnd, options: GrpcClientOptions<P>) {
    this.#end = end;
    this.#options = options;
    void options.exited.then((reason) => this.#over.abort(reason));
  }

  static async open<P extends PluginSet>(
    options: GrpcClientOptions<P>,
    signal: AbortSignal,
  ): Promise<GrpcProtocolClient<P>> {
    const explainLoss = async (): Promise<Error | undefined> => {
      const lost = new GrpcError(UNAVAILABLE, "the connection was lost");
      const reason = await options.onLost(lost);
      return reason === lost ? undefined : reason;
    };
    return new GrpcProtocolClient(await openHostEnd({ ...options, explainLoss }, signal), options);
  }

  /** The connection to the plugin, shared by all that is dispensed (go-plugin: GRPCClient.Conn). */
  get conn(): GrpcConnection {
    return this.#end.conn;
  }

  get broker(): GRPCBroker {
    return this.#end.broker;
  }

  get closed(): Promise<void> {
    return this.#end.conn.closed;
  }

  async dispense<N extends keyof P & string>(name: N, _options?: WaitOptions): Promise<ClientFace<P[N]>> {
    const { plugins } = this.#options;
    const plugin = Object.hasOwn(plugins, name) ? plugins[name] : undefined;
    if (plugin === undefined) throw new UnknownPluginError(name, Object.keys(plugins));
    if (!("grpcClient" in plugin)) {
      throw new WrongProtocolError(
        `plugin ${JSON.stringify(name)} doesn't support gRPC: the plugin speaks gRPC, and the host's type of that name has only a net/rpc side`,
      );
    }
    const { conn, broker } = this.#end;
    return (await plugin.grpcClient({ conn, broker, signal: this.#over.signal })) as ClientFace<P[N]>;
  }

  async ping(options: WaitOptions = {}): Promise<void> {
    try {
      await this.#end.ping(options);
    } catch (error) {
      if (error instanceof GrpcError && LOST_STATUSES.has(error.status))
        throw await this.#options.onLost(error);
      throw error;
    }
  }

  async quit(options: WaitOptions = {}): Promise<void> {
    try {
      await this.#end.shutdown({ timeout: SHUTDOWN_TIMEOUT, ...options });
      await within(SYNC_GRACE, this.#end.synced);
    } finally {
      await this.disconnect();
    }
  }

  async disconnect(): Promise<void> {
    this.#over.abort(new ClientEndedError("the host has disconnected from the plugin"));
    await this.#end.close();
  }
}
