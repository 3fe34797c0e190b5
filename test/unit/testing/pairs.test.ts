import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import * as gob from "../../../src/gob/index.js";
import { netRpcPlugin } from "../../../src/index.js";
import { caller, RpcServer } from "../../../src/netrpc/index.js";
import { connectionPair, pluginPair, rpcPair } from "../../../src/testing/index.js";
import { Collector, until } from "../../interop/support.js";

test("connectionPair: bytes go both ways, and each side may end on its own", async () => {
  const [client, server] = await connectionPair();
  const closed = Promise.all([once(client, "close"), once(server, "close")]);
  client.end("there");
  assert.equal(String((await once(server, "data"))[0]), "there");
  server.end("and back");
  assert.equal(String((await once(client, "data"))[0]), "and back");
  await closed;
});

test("rpcPair: a client on a server", async () => {
  const methods = { Double: [gob.int, gob.int] } as const;
  const server = new RpcServer().register("Math", methods, { Double: (n) => 2 * n });
  const pair = await rpcPair(server);
  assert.equal(await caller(pair.client, "Math", methods).Double(21), 42);
  await pair[Symbol.asyncDispose]();
  await pair.served;
});

test("pluginPair: dispense, callbacks and output without a process", async () => {
  const ask = { Ask: [gob.string, gob.string] } as const;
  const plugin = netRpcPlugin(
    { Greet: [gob.uint32, gob.string] },
    { client: ({ rpc, broker }) => ({ rpc, broker }) },
  );
  const served = plugin.implement((broker) => ({
    async Greet(id) {
      await using host = await broker.connect(id, ask);
      return `Hello, ${await host.Ask("name?")}!`;
    },
  }));
  const syncStdout = new Collector();
  await using pair = await pluginPair({ plugin: served }, { syncStdout });
  const { rpc, broker } = await pair.client.dispense("plugin");
  const id = broker.serve(ask, { Ask: (question) => (question === "name?" ? "world" : "") });
  assert.equal(await rpc.Greet(id), "Hello, world!");
  await pair.client.ping();
  pair.stdout.write("x".repeat(300_000));
  await until("the output", () => syncStdout.size === 300_000);
  await assert.rejects(pair.client.dispense("other" as "plugin"), { code: "ERR_UNKNOWN_PLUGIN" });
});
