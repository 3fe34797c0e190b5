// A host of protobuf-es's clients in a process that cannot find grpc-js; prints "done" when all was as it should be.
// Usage: host.program.ts CONFIG PLUGIN COUNTER: a JSON object for the clients, and the commands of the plugins as JSON.
import assert from "node:assert/strict";
import * as protobuf from "@bufbuild/protobuf";
import {
  Client,
  type ClientConfig,
  GrpcCallError,
  grpcPlugin,
  PluginExitedError,
} from "../../../src/index.js";
import { AddHelper, Counter } from "../gen/es/counter_pb.js";
import { KV } from "../gen/es/kv_pb.js";
import { Stream } from "../gen/es/stream_pb.js";
import { Tools } from "../gen/es/tools_pb.js";
import { serveHelper } from "../plugins/services/counter-es.js";
import { Collector, handshakeConfig, pattern, until } from "../support.js";

const [config, plugin, counterPlugin] = process.argv.slice(2).map((text) => JSON.parse(text)) as [
  Pick<ClientConfig, "autoMTLS" | "grpcBrokerMultiplex">,
  [string, ...string[]],
  [string, ...string[]],
];

await assert.rejects(import("@grpc/grpc-js"), /hidden/);

const plugins = {
  kv: grpcPlugin({
    client: ({ conn }) => ({
      kv: conn.protobuf(KV, protobuf),
      tools: conn.protobuf(Tools, protobuf),
      stream: conn.protobuf(Stream, protobuf),
    }),
  }),
  counter: grpcPlugin({
    client: ({ conn, broker }) => ({ broker, store: conn.protobuf(Counter, protobuf) }),
  }),
};
const common = { handshakeConfig, plugins, allowedProtocols: ["grpc"] as const, ...config };

async function collect(chunks: AsyncIterable<{ data: Uint8Array }>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const { data } of chunks) all.push(data);
  return Buffer.concat(all);
}

const [syncStdout, syncStderr] = [new Collector(), new Collector()];
{
  await using client = new Client({ ...common, cmd: plugin, syncStdout, syncStderr });
  const { kv, tools, stream } = await client.dispense("kv");
  await client.ping({ timeout: 10_000 });

  for (const size of [0, 64, 1 << 20]) {
    const value = pattern(size);
    await kv.put({ key: "k", value });
    assert.equal(Buffer.compare((await kv.get({ key: "k" })).value, value), 0);
  }
  const missing = await kv.get({ key: "nobody" }).catch((error: unknown) => error);
  assert.ok(missing instanceof GrpcCallError);
  assert.deepEqual([missing.code, missing.details], [5, "key not found: nobody"]);
  assert.match(missing.stack!, /host\.program/);

  const bytes = Uint8Array.of(0, 255, 7);
  const { pairs } = await tools.metadata({}, { metadata: { "goplug-text": "a", "goplug-own-bin": bytes } });
  assert.deepEqual(Object.keys(pairs).sort(), ["goplug-own-bin", "goplug-text"]);
  assert.deepEqual(Buffer.from(pairs["goplug-own-bin"]!), Buffer.from(bytes));
  const failed = await tools.fail({ code: 9, text: "später" }).catch((error: GrpcCallError) => error);
  assert.ok(failed instanceof GrpcCallError);
  assert.deepEqual(
    [failed.code, failed.details, failed.metadata.get("goplug-trailer")],
    [9, "später", ["9"]],
  );

  const all = pattern(1 << 20);
  assert.equal(Buffer.compare(await collect(stream.source({ bytes: BigInt(all.length) })), all), 0);
  await assert.rejects(collect(stream.source({ bytes: 10n, code: 9, text: "no more" })), { code: 9 });
  const chunks = Array.from({ length: 16 }, (_, i) => ({ data: all.subarray(i << 16, (i + 1) << 16) }));
  assert.equal((await stream.sink(chunks)).bytes, BigInt(all.length));
  assert.equal(Buffer.compare(await collect(stream.mirror(chunks)), all), 0);

  const abort = new AbortController();
  const hanging = tools.hang({}, { signal: abort.signal });
  abort.abort();
  await assert.rejects(hanging, { code: "ERR_ABORTED" });
  await assert.rejects(tools.sleep({ n: 5000n }, { timeout: 20 }), { code: 4 });

  const n = BigInt(all.length);
  await Promise.all([tools.writeStdout({ n }), tools.writeStderr({ n })]);
  await until("the output", () => syncStdout.size >= all.length && syncStderr.size >= all.length);
  assert.equal(Buffer.compare(syncStdout.bytes, all), 0);
  const open = assert.rejects(tools.hang({}), (error: GrpcCallError) => [1, 14].includes(error.code));
  await client.ping();
  await client.kill();
  await open;
  assert.deepEqual(client.exitStatus, { code: 0, signal: null });
}
{
  await using client = new Client({ ...common, cmd: plugin });
  const { tools } = await client.dispense("kv");
  await assert.rejects(tools.killSelf({}), ({ code, cause }: GrpcCallError) => {
    assert.equal(code, 14);
    return cause instanceof PluginExitedError;
  });
}
{
  await using client = new Client({ ...common, cmd: counterPlugin, unixSocketConfig: {} });
  const { broker, store } = await client.dispense("counter");
  for (const [value, sum] of [
    [3n, 3n],
    [4n, 7n],
  ] as const) {
    await using helper = await serveHelper("host", broker, 0n);
    assert.equal((await store.put({ addServer: helper.id, key: "k", value })).value, sum);
  }
  await using conn = await broker.dial((await store.open({})).id);
  assert.equal((await conn.protobuf(AddHelper, protobuf).sum({ a: 1n, b: 2n })).r, 1003n);
  await using own = await serveHelper("host", broker, 0n);
  const { names } = await store.nest({ depth: 3, id: own.id });
  assert.deepEqual(names, ["plugin 3", "host 2", "plugin 1", "host 0"]);
}
console.log("done");
