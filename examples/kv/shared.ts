import { gob, netRpcPlugin } from "goplug";

export const handshakeConfig = {
  protocolVersion: 1,
  magicCookieKey: "BASIC_PLUGIN",
  magicCookieValue: "hello",
};

/** What a host sees of the plugin. */
export interface KV {
  put(key: string, value: Uint8Array): Promise<void>;
  get(key: string): Promise<Uint8Array>;
}

/** Go's wire names and types below, an idiomatic face above. */
export const kv = netRpcPlugin(
  { Put: [gob.map(gob.string, gob.any), gob.any], Get: [gob.string, gob.bytes] },
  {
    client: ({ rpc }): KV => ({
      put: async (key, value) => {
        await rpc.Put({ key, value });
      },
      get: (key) => rpc.Get(key),
    }),
  },
);
