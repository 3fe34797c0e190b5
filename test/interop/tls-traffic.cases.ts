// What runs over the connection does not know that it is secured: large values, many calls at once, callbacks through
// the broker, output, sudden ends.
import assert from "node:assert/strict";
import { PluginExitedError } from "../../src/index.js";
import { pluginCommand } from "./build-plugins.js";
import type { Case, CaseContext } from "./case.js";
import { counter, helperMethods } from "./services.js";
import { Collector, kv, pattern, until, withClient } from "./support.js";

const plugins = { kv, counter };
type Use = Parameters<typeof withClient<typeof plugins>>[1];

function over(
  service: "kv" | "counter",
  feature: string,
  use: Use,
  config: { syncStdout?: Collector } = {},
): Case[] {
  const peers: Record<string, (context: CaseContext) => Promise<[string, ...string[]]>> = {
    go: async ({ bin }) => [bin(`${service}-netrpc`)],
    ts: () => pluginCommand(service),
  };
  return Object.entries(peers).map(([peer, command]) => ({
    name: `ts->${peer} netrpc AutoMTLS ${feature}`,
    needs: peer === "go" ? [`${service}-netrpc`] : [],
    run: async (context) =>
      withClient({ plugins, cmd: await command(context), autoMTLS: true, ...config }, use),
  }));
}

const output = new Collector();

export const cases: Case[] = [
  ...over("kv", "64 MiB there and back", async (client) => {
    const store = await client.dispense("kv");
    const value = pattern(64 << 20);
    await store.Put({ key: "k", value });
    assert.equal(Buffer.compare(Buffer.from(await store.Get("k")), value), 0);
  }),
  ...over("kv", "64 calls at once, out of order", async (client) => {
    const store = await client.dispense("kv");
    const sizes = Array.from({ length: 64 }, (_, index) => (index * 7919) % 100_000);
    const echoes = await Promise.all(sizes.map((size) => store.Echo(pattern(size))));
    for (const [index, echo] of echoes.entries()) {
      assert.equal(Buffer.compare(Buffer.from(echo), pattern(sizes[index]!)), 0);
    }
  }),
  ...over("counter", "a callback through the broker", async (client) => {
    const { rpc, broker } = await client.dispense("counter");
    for (const sum of [40n, 42n]) {
      const helper = broker.serve(helperMethods, { Sum: ({ A, B }) => A + B, Nest: () => [] });
      assert.equal(await rpc.Put({ AddServer: helper, Key: "k", Value: sum === 40n ? 40n : 2n }), sum);
    }
    await using peer = await broker.connect(await rpc.Open(null), helperMethods);
    assert.equal(await peer.Sum({ A: 1n, B: 2n }), 1003n);
  }),
  ...over(
    "kv",
    "10 MB of output",
    async (client) => {
      const before = output.size;
      const store = await client.dispense("kv");
      await store.WriteStdout(10_000_000);
      await until("the output has come", () => output.size >= before + 10_000_000);
    },
    { syncStdout: output },
  ),
  ...over("kv", "the plugin is killed in mid-call", async (client) => {
    const store = await client.dispense("kv");
    const hanging = assert.rejects(store.Hang(null), PluginExitedError);
    await store.Pid(null);
    process.kill(Number(client.id), "SIGKILL");
    await hanging;
  }),
  ...over("kv", "kill in mid-call", async (client) => {
    const store = await client.dispense("kv");
    const hanging = assert.rejects(store.Hang(null));
    await store.Pid(null);
    await client.kill();
    await hanging;
  }),
];
