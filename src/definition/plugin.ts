import type { MuxBroker } from "../broker/mux-broker.js";
import type {
  CodecOptions,
  MethodTable,
  OptionalMethods,
  Receiver,
  RpcClient,
  ServerLimits,
} from "../netrpc/index.js";
import type { GrpcPlugin } from "./grpc-plugin.js";

/** What a plugin's net/rpc side serves under the service name `Plugin`. */
export interface Service<T extends MethodTable = MethodTable> {
  /** The wire methods with their schemas. */
  readonly methods: T;
  /** The function of each wire method. */
  readonly receiver: Partial<Receiver<T>>;
  /** The methods that the receiver may lack: `true` for all, or their names. Default: none. */
  readonly optional?: OptionalMethods<T>;
}

/**
 * A plugin type as the net/rpc protocol knows it (go-plugin: Plugin). {@link netRpcPlugin} makes one of a method
 * table; an object written by hand, as one would port it from Go, is as good.
 */
export interface NetRpcPlugin<Client = unknown> extends CodecOptions, ServerLimits {
  /** Host: makes the face that `dispense` returns, of a client connected to the plugin's service. */
  client(broker: MuxBroker, rpc: RpcClient): Client | Promise<Client>;
  /** Plugin: makes the service for one dispense. What it throws is the error of `dispense`. */
  server(broker: MuxBroker): Service | Promise<Service>;
}

/** Plugin types by the name that they are dispensed under. One that has both sides can be served either way. */
export type PluginSet = Readonly<Record<string, NetRpcPlugin | GrpcPlugin>>;

/** What `dispense` returns for a plugin type. */
export type ClientFace<P> = P extends { client(...args: never[]): infer C }
  ? Awaited<C>
  : P extends { grpcClient(...args: never[]): infer C }
    ? Awaited<C>
    : never;
