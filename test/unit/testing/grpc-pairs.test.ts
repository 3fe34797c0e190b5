import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { loadPackageDefinition } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { type GrpcServerParts, grpcPlugin } from "../../../src/index.js";
import { grpcPair, grpcPluginPair } from "../../../src/testing/index.js";
import {
  type GetRequest,
  type GetResponse,
  KVClient,
  type KVServer,
  KVService,
} from "../../interop/gen/kv.js";

const handlers: KVServer = {
  get: ({ request: { key } }, answer) => answer(null, { value: Buffer.from(`value of ${key}`) }),
  put: (_call, answer) => answer(null, {}),
};

async function get(client: KVClient, key: string): Promise<string> {
  const call = promisify<GetRequest, GetResponse>(client.get.bind(client));
  return Buffer.from((await call({ key })).value).toString();
}

test("grpcPair: a connection on a server", async () => {
  await using pair = await grpcPair((server) => server.addService(KVService, handlers));
  assert.equal(await get(pair.conn.client(KVClient), "a"), "value of a");
});

test("classes of proto-loader, without generated code", async () => {
  const file = fileURLToPath(new URL("../../../go-fixtures/proto/kv.proto", import.meta.url));
  const loaded = loadPackageDefinition(loadSync(file)) as unknown as { proto: { KV: typeof KVClient } };
  await using pair = await grpcPair((server) => server.addService(loaded.proto.KV.service, handlers));
  assert.equal(await get(pair.conn.client(loaded.proto.KV), "c"), "value of c");
});

test("grpcPluginPair: dispense, ping and broker without a process", async () => {
  const kv = grpcPlugin({
    client: ({ conn, broker }) => ({ kv: conn.client(KVClient), broker }),
    server: ({ server, impl }: GrpcServerParts<KVServer>) => server.addService(KVService, impl),
  });
  await using pair = await grpcPluginPair({ kv: kv.implement(handlers) });
  await pair.client.ping();
  const { kv: client, broker } = await pair.client.dispense("kv");
  assert.equal(await get(client, "b"), "value of b");
  await using served = await broker.serve((server) => server.addService(KVService, handlers));
  assert(served.id > 0);
  await assert.rejects(pair.client.dispense("other" as "kv"), { code: "ERR_UNKNOWN_PLUGIN" });
});
