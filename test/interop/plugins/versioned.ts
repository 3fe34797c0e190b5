// The store in two app protocol versions, as go-fixtures/plugins/versioned: net/rpc in version 2, gRPC in version 3.
import { status } from "@grpc/grpc-js";
import { type GrpcServerParts, grpcPlugin } from "../../../src/definition/grpc-plugin.js";
import { netRpcPlugin } from "../../../src/definition/net-rpc-plugin.js";
import * as gob from "../../../src/gob/index.js";
import { pluginLogger } from "../../../src/plugin/logger.js";
import { serve } from "../../../src/plugin/serve.js";
import { type KVServer, KVService } from "../gen/kv.js";
import { handshakeConfig } from "./serve-fixture.js";

const { protocolVersion: _, ...cookie } = handshakeConfig;
const values = new Map<string, Uint8Array>();

function put(key: string, value: Uint8Array, version: 2 | 3): void {
  values.set(key, Buffer.concat([value, Buffer.from(` (${version})`)]));
}

const version2 = netRpcPlugin({
  Put: [gob.map(gob.string, gob.any), gob.any],
  Get: [gob.string, gob.bytes],
}).implement({
  Put(args) {
    put(args.get("key") as string, args.get("value") as Uint8Array, 2);
    return null;
  },
  Get(key) {
    const value = values.get(key);
    if (value === undefined) throw new Error(`key not found: ${key}`);
    return value;
  },
});

const store: KVServer = {
  put({ request: { key, value } }, answer) {
    put(key, value, 3);
    answer(null, {});
  },
  get({ request: { key } }, answer) {
    const value = values.get(key);
    if (value === undefined) answer({ code: status.NOT_FOUND, details: `key not found: ${key}` });
    else answer(null, { value: Buffer.from(value) });
  },
};

const version3 = grpcPlugin({
  client: () => undefined,
  server: ({ server, impl }: GrpcServerParts<KVServer>) => server.addService(KVService, impl),
}).implement(store);

await serve({
  handshakeConfig: cookie,
  versionedPlugins: { 2: { kv: version2 }, 3: { kv: version3 } },
  logger: pluginLogger({ name: "versioned" }),
});
