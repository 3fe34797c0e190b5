import { gob, netRpcPlugin } from "goplug";

export const handshakeConfig = {
  protocolVersion: 1,
  magicCookieKey: "BASIC_PLUGIN",
  magicCookieValue: "hello",
};

/** What a host sees of the plugin, and what a plugin implements. */
export interface KV {
  put(key: string, value: Uint8Array): void | Promise<void>;
  get(key: string): Uint8Array | Promise<Uint8Array>;
}

/** Go's wire names and types below, an idiomatic face above, on both sides. */
export const kv = netRpcPlugin(
  { Put: [gob.map(gob.string, gob.any), gob.any], Get: [gob.string, gob.bytes] },
  {
    client: ({ rpc }): KV => ({
      put: async (key, value) => {
        await rpc.Put({ key, value });
      },
      get: (key) => rpc.Get(key),
    }),
    server: ({ impl }: { impl: KV }) => ({
      async Put(args) {
        const { key, value } = Object.fromEntries(args);
        if (typeof key !== "string" || !(value instanceof Uint8Array))
          throw new Error("Put takes key and value");
        await impl.put(key, value);
        return null;
      },
      Get: (key) => impl.get(key),
    }),
  },
);
