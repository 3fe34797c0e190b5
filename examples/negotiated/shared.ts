import { promisify } from "node:util";
import { type GrpcServerParts, gob, grpcPlugin, netRpcPlugin } from "goplug";
import { KVClient, type KVServer, KVService } from "./gen/kv.ts";

/** No version here: each set below has its own. */
export const handshakeConfig = { magicCookieKey: "BASIC_PLUGIN", magicCookieValue: "hello" };

/** What a host sees of the plugin, whatever the version. */
export interface KV {
  put(key: string, value: Uint8Array): Promise<void>;
  get(key: string): Promise<Uint8Array>;
}

/** Version 2: net/rpc. */
export const version2 = netRpcPlugin(
  { Put: [gob.map(gob.string, gob.any), gob.any], Get: [gob.string, gob.bytes] },
  {
    client: ({ rpc }): KV => ({
      async put(key, value) {
        await rpc.Put({ key, value });
      },
      get: (key) => rpc.Get(key),
    }),
  },
);

/** Version 3: gRPC, with ts-proto's client and service. */
export const version3 = grpcPlugin({
  client({ conn }): KV {
    const client = conn.client(KVClient);
    const put = promisify(client.put.bind(client) as (request: object, done: Callback<object>) => void);
    const get = promisify(
      client.get.bind(client) as (request: object, done: Callback<{ value: Buffer }>) => void,
    );
    return {
      async put(key, value) {
        await put({ key, value: Buffer.from(value) });
      },
      get: async (key) => (await get({ key })).value,
    };
  },
  server: ({ server, impl }: GrpcServerParts<KVServer>) => server.addService(KVService, impl),
});

type Callback<A> = (error: Error | null, answer: A) => void;
