import assert from "node:assert/strict";
import { test } from "node:test";
import { promisify } from "node:util";
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
