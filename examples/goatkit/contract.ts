// The wire of GoatKit's plugins: net/rpc, in spite of the name of its package, "grpc".
import { gob } from "goplug";

/** Host and plugin of GoatKit agree on these (Go: Handshake). */
export const handshakeConfig = {
  protocolVersion: 1,
  magicCookieKey: "GOATKIT_PLUGIN",
  magicCookieValue: "goatkit-v1",
};

/** What hosts dispense. */
export const pluginName = "gkplugin";

/** How a plugin answers GKRegister: the newer packages in JSON, the first one with the struct. */
export type Generation = "json" | "struct";

export const initRequest = gob.struct({ Config: gob.map(gob.string, gob.string), HostAPIID: gob.uint32 });
export const callRequest = gob.struct({ Function: gob.string, Args: gob.bytes });
export const callResponse = gob.struct({ Result: gob.bytes, Error: gob.string });
export const hostAPIRequest = gob.struct({ Method: gob.string, Args: gob.bytes, CallerPlugin: gob.string });
export const hostAPIResponse = gob.struct({ Result: gob.bytes, Error: gob.string });

/** What a plugin serves beside GKRegister. */
export const pluginMethods = {
  Init: [initRequest, gob.any],
  Call: [callRequest, callResponse],
  Shutdown: [gob.any, gob.any],
} as const;

/** What a host serves to each plugin on a brokered stream. */
export const hostMethods = { Call: [hostAPIRequest, hostAPIResponse] } as const;

/** Args and Result are JSON in bytes; no bytes stand for no value. */
export function toJson(value: unknown): Buffer {
  return value === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(value));
}

export function fromJson(bytes: Uint8Array): unknown {
  return bytes.length === 0 ? undefined : JSON.parse(Buffer.from(bytes).toString());
}
