import type { MuxBroker } from "../broker/mux-broker.js";
import { OptionError } from "../errors.js";
import type { Registry } from "../gob/index.js";
import { type Caller, caller, type MethodTable, type Receiver, type RpcClient } from "../netrpc/index.js";
import { pluginService } from "./control.js";
import type { NetRpcPlugin, Service } from "./plugin.js";

/** What a definition's `client` face is made of. */
export interface ClientParts<T extends MethodTable> {
  /** The methods under their wire names, typed. */
  readonly rpc: Caller<T>;
  readonly broker: MuxBroker;
  /** The untyped client below `rpc`. */
  readonly client: RpcClient;
}

/** What a definition's `server` face is made of. */
export interface ServerParts<I> {
  readonly impl: I;
  readonly broker: MuxBroker;
}

/** The optional faces of a definition: what host and plugin see instead of the wire names. */
export interface Faces<T extends MethodTable, C, I> {
  /** Makes the host's face; default: the methods under their wire names. */
  readonly client?: (parts: ClientParts<T>) => C | Promise<C>;
  /** Makes the wire methods of an implementation; default: the implementation has the wire names itself. */
  readonly server?: (parts: ServerParts<I>) => Receiver<T> | Promise<Receiver<T>>;
  /** The registry of concrete types for interface values. */
  readonly registry?: Registry | undefined;
}

/** A plugin type that host and plugin share. */
export interface NetRpcDefinition<T extends MethodTable, C, I> extends NetRpcPlugin<C> {
  readonly methods: T;
  client(broker: MuxBroker, rpc: RpcClient): C | Promise<C>;
  /**
   * Plugin: attaches the implementation. A function is called for every dispense, with the broker of the connection
   * that asked, and may throw to refuse it.
   */
  implement(implementation: I | ((broker: MuxBroker) => I | Promise<I>)): NetRpcPlugin<C>;
}

/**
 * Defines a plugin type by its net/rpc methods: wire name to [argument, reply].
 *
 * @example
 * const greeter = netRpcPlugin({ Greet: [gob.any, gob.string] });
 */
export function netRpcPlugin<const T extends MethodTable, C = Caller<T>, I = Receiver<T>>(
  methods: T,
  faces: Faces<T, C, I> = {},
): NetRpcDefinition<T, C, I> {
  const { registry } = faces;
  const client = (broker: MuxBroker, rpcClient: RpcClient): C | Promise<C> => {
    const rpc = caller(rpcClient, pluginService, methods);
    if (faces.client === undefined) return rpc as C;
    return faces.client({ rpc, broker, client: rpcClient });
  };
  return {
    methods,
    registry,
    client,
    server() {
      throw new OptionError(
        "plugins",
        "this plugin type has no implementation here: serve what implement() returns",
      );
    },
    implement: (implementation) => ({
      registry,
      client,
      async server(broker): Promise<Service<T>> {
        const impl =
          typeof implementation === "function"
            ? await (implementation as (broker: MuxBroker) => I | Promise<I>)(broker)
            : implementation;
        const receiver =
          faces.server === undefined
            ? (impl as unknown as Receiver<T>)
            : await faces.server({ impl, broker });
        return { methods, receiver };
      },
    }),
  };
}
