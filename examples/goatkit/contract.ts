// The wire of GoatKit's plugins: net/rpc, in spite of the name of its package, "grpc".
// Its types and methods are generated from the Go package (`make gen`).

export {
  /** What a plugin serves beside GKRegister. */
  GKPluginRPCServer as pluginMethods,
  /** Host and plugin of GoatKit agree on these. */
  Handshake as handshakeConfig,
  /** What a host serves to each plugin on a brokered stream. */
  HostAPIRPCServer as hostMethods,
  /** What hosts dispense. */
  Name as pluginName,
} from "./gen/definitions.ts";

/** How a plugin answers GKRegister: the newer packages in JSON, the first one with the struct. */
export type Generation = "json" | "struct";

/** Args and Result are JSON in bytes; no bytes stand for no value. */
export function toJson(value: unknown): Buffer {
  return value === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(value));
}

export function fromJson(bytes: Uint8Array): unknown {
  return bytes.length === 0 ? undefined : JSON.parse(Buffer.from(bytes).toString());
}
