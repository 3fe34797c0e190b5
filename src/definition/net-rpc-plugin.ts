import type { MuxBroker } from "../broker/mux-broker.js";
import {
  type Caller,
  type CodecOptions,
  caller,
  implemented,
  type MethodTable,
  type OptionalMethods,
  type PartialReceiver,
  type Receiver,
  type RpcClient,
  type ServerLimits,
} from "../netrpc/index.js";
import { checkMethods } from "../netrpc/methods.js";
import { calling, checkOptions } from "../options.js";
import { checkImplementation } from "./check-implementation.js";
import { PLUGIN_SERVICE } from "./control.js";
import type { NetRpcPlugin, Service } from "./plugin.js";
import { unimplemented } from "./unimplemented.js";

/** What a definition's `client` face is made of. */
export interface ClientParts<T extends MethodTable> {
  /** The methods under their wire names, typed. */
  readonly rpc: Caller<T>;
  /** Serves callbacks to the plugin, and dials what the plugin serves. */
  readonly broker: MuxBroker;
  /** The untyped client below `rpc`. */
  readonly client: RpcClient;
}

/** What a definition's `server` face is made of. */
export interface ServerParts<I> {
  /** What `implement` was given, or what its function returned. */
  readonly impl: I;
  /** Dials what the host serves, and serves to the host. */
  readonly broker: MuxBroker;
}

/** The host's face of a definition without a `client` face: the methods under their wire names, and the broker. */
export type BrokeredCaller<T extends MethodTable> = Caller<T> & {
  /** For callbacks and streams: its ids travel as arguments. (Go's method names begin with a capital letter.) */
  readonly broker: MuxBroker;
};

/** The optional faces of a definition (what host and plugin see instead of the wire names), and how its values travel. */
export interface Faces<T extends MethodTable, C, I, R = Receiver<T>> extends CodecOptions, ServerLimits {
  /** Makes the host's face; default: a {@link BrokeredCaller}. */
  readonly client?: (parts: ClientParts<T>) => C | Promise<C>;
  /** Makes the wire methods of an implementation; default: the implementation has the wire names itself. */
  readonly server?: (parts: ServerParts<I>) => R | Promise<R>;
}

/** A plugin type that host and plugin share. */
export interface NetRpcDefinition<T extends MethodTable, C, I> extends NetRpcPlugin<C> {
  /** The table that the definition was made of. */
  readonly methods: T;
  client(broker: MuxBroker, rpc: RpcClient): C | Promise<C>;
  /**
   * Plugin: attaches the implementation. A function is called for every dispense, with the broker of the connection
   * that asked, and may throw to refuse it.
   *
   * @throws OptionError - it is neither an object nor a function, or, where the definition has no `server` face, lacks a
   * method that is not optional, or has something else than a function in its place
   */
  implement(implementation: I | ((broker: MuxBroker) => I | Promise<I>)): NetRpcPlugin<C>;
  /** The wire names that an implementation has methods for. */
  implemented(implementation: object): (keyof T & string)[];
}

/** The option of a definition whose implementations need not have every method. */
export interface OptionalFace<O> {
  /**
   * The methods that an implementation may lack: `true` for all, or their names. Calls of such a one are answered with
   * Go's `rpc: can't find method Plugin.X`.
   */
  readonly optional: O;
}

/**
 * Defines a plugin type by its net/rpc methods: wire name to [argument, reply].
 *
 * @example
 * const greeter = netRpcPlugin({ Greet: [gob.any, gob.string] });
 * @example
 * const hooks = netRpcPlugin(fortySeven, { optional: true }).implement({ OnActivate: () => null });
 */
export function netRpcPlugin<
  const T extends MethodTable,
  const O extends OptionalMethods<T>,
  C = BrokeredCaller<T>,
  I = PartialReceiver<T, O>,
>(methods: T, faces: Faces<T, C, I, PartialReceiver<T, O>> & OptionalFace<O>): NetRpcDefinition<T, C, I>;
export function netRpcPlugin<const T extends MethodTable, C = BrokeredCaller<T>, I = Receiver<T>>(
  methods: T,
  faces?: Faces<T, C, I>,
): NetRpcDefinition<T, C, I>;
export function netRpcPlugin<T extends MethodTable, C, I>(
  methods: T,
  faces: Faces<T, C, I, Partial<Receiver<T>>> & Partial<OptionalFace<OptionalMethods<T>>> = {},
): NetRpcDefinition<T, C, I> {
  checkMethods(methods);
  checkOptions(faces, { client: calling, server: calling });
  const { registry, invalidUtf8, maxUnansweredBytes, optional } = faces;
  const wire = { registry, invalidUtf8, maxUnansweredBytes };
  const client = (broker: MuxBroker, rpcClient: RpcClient): C | Promise<C> => {
    const rpc = caller(rpcClient, PLUGIN_SERVICE, methods);
    if (faces.client !== undefined) return faces.client({ rpc, broker, client: rpcClient });
    // Not enumerable: a copy or a listing of the face has the wire names alone.
    return Object.defineProperty(rpc, "broker", { value: broker }) as C;
  };
  return {
    ...wire,
    methods,
    client,
    server: unimplemented,
    implement(implementation) {
      // A server face takes what its author likes.
      const isWhole = faces.server === undefined && typeof implementation !== "function";
      if (isWhole) checkImplementation(Object.keys(methods), implementation, optional);
      return {
        ...wire,
        client,
        async server(broker): Promise<Service<T>> {
          const impl =
            typeof implementation === "function"
              ? await (implementation as (broker: MuxBroker) => I | Promise<I>)(broker)
              : implementation;
          if (faces.server !== undefined)
            return { methods, receiver: await faces.server({ impl, broker }), optional };
          checkImplementation(Object.keys(methods), impl, optional);
          return { methods, receiver: impl as Partial<Receiver<T>>, optional };
        },
      };
    },
    implemented: (implementation) => implemented(methods, implementation),
  };
}
