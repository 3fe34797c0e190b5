// A TypeScript host with Go plugins on old go-plugin releases (go-fixtures/legacy): v0 is of February 2017, before gRPC,
// and prints a handshake line of four fields; v1.0 is of 2019, v1.4 of 2021.
import assert from "node:assert/strict";
import type { PluginSet } from "../../src/definition/plugin.js";
import { Client, nullLogger, PluginExitedError, UnknownPluginError } from "../../src/index.js";
import type { Case } from "./case.js";
import { counter, helperMethods } from "./services.js";
import {
  assertGone,
  Collector,
  greeter,
  handshakeConfig,
  kv,
  pattern,
  until,
  withClient,
} from "./support.js";

/** The plugin types that every legacy fixture serves, and one that it does not know. */
const plugins = { greeter, kv, counter, nope: kv } satisfies PluginSet;
type Legacy = Client<typeof plugins>;

const versions = ["v0", "v1.0", "v1.4"] as const;
type Version = (typeof versions)[number];

type Check = (
  client: Legacy,
  version: Version,
  out: { stdout: Collector; stderr: Collector },
) => Promise<void>;

const checks: readonly [feature: string, check: Check][] = [
  [
    "greet",
    async (client) => {
      assert.equal(await (await client.dispense("greeter")).Greet(null), "Hello!");
      assert.equal(client.protocol, "netrpc");
      assert.equal(client.negotiatedVersion, 1);
      assert.equal(client.address?.network, "unix");
    },
  ],
  [
    "kv put and get, empty to 16 MiB",
    async (client) => {
      const store = await client.dispense("kv");
      for (const size of [0, 64, 1 << 20, 16 << 20]) {
        const value = pattern(size);
        await store.Put({ key: "k", value });
        assert.equal(Buffer.compare(await store.Get("k"), value), 0);
      }
    },
  ],
  [
    "64 in flight, 2,000 calls",
    async (client) => {
      const store = await client.dispense("kv");
      let next = 0;
      const worker = async (): Promise<void> => {
        for (let n = next++; n < 2000; n = next++) {
          assert.equal(Buffer.from(await store.Echo(Buffer.from(`call ${n}`))).toString(), `call ${n}`);
        }
      };
      await Promise.all(Array.from({ length: 64 }, worker));
    },
  ],
  [
    "error texts",
    async (client) => {
      const store = await client.dispense("kv");
      await assert.rejects(store.Get("nowhere"), { name: "RemoteError", message: "key not found: nowhere" });
      await assert.rejects(store.NoSuchMethod("argument"), {
        name: "RemoteError",
        message: "rpc: can't find method Plugin.NoSuchMethod",
      });
      await assert.rejects(client.dispense("nope"), {
        name: "RemoteError",
        message: "unknown plugin type: nope",
      });
      await assert.rejects(client.dispense("other" as "nope"), UnknownPluginError);
      assert.deepEqual(Buffer.from(await store.Echo(pattern(3))), pattern(3));
    },
  ],
  [
    "ping",
    async (client, version) => {
      // Control.Ping came after v0; its answer is a sign of life all the same.
      if (version === "v0") {
        await assert.rejects(client.ping({ timeout: 10_000 }), {
          name: "RemoteError",
          message: "rpc: can't find method Control.Ping",
        });
        assert.equal(await (await client.dispense("greeter")).Greet(null), "Hello!");
      } else await client.ping({ timeout: 10_000 });
    },
  ],
  [
    "counter with a callback",
    async (client) => {
      const { rpc, broker } = await client.dispense("counter");
      const receiver = { Sum: ({ A, B }: { A: bigint; B: bigint }) => A + B, Nest: () => [] };
      const put = (Value: bigint): Promise<bigint> =>
        rpc.Put({ Key: "n", Value, AddServer: broker.serve(helperMethods, receiver) });
      for (const expected of [10n, 20n, 30n]) assert.equal(await put(10n), expected);
      assert.equal(await rpc.Get("n"), 30n);
    },
  ],
  [
    "a helper that the plugin serves",
    async (client) => {
      const { rpc, broker } = await client.dispense("counter");
      await using peer = await broker.connect(await rpc.Open(null), helperMethods);
      assert.equal(await peer.Sum({ A: 40n, B: 2n }), 1042n);
    },
  ],
  [
    "stdout and stderr synced, 1 MiB each",
    async (client, _version, { stdout, stderr }) => {
      const store = await client.dispense("kv");
      const written = await Promise.all([store.WriteStdout(1 << 20), store.WriteStderr(1 << 20)]);
      assert.deepEqual(written, [1 << 20, 1 << 20]);
      await until("1 MiB on each stream", () => stdout.size >= 1 << 20 && stderr.size >= 1 << 20);
      await client.kill();
      assert.equal(Buffer.compare(stdout.bytes, pattern(1 << 20)), 0);
      assert.equal(Buffer.compare(stderr.bytes, pattern(1 << 20)), 0);
    },
  ],
  [
    "graceful kill while a call hangs",
    async (client) => {
      const store = await client.dispense("kv");
      // Either the connection's end is seen first or the process's: both are right, hanging is not.
      const hanging = assert.rejects(store.Hang(null), (error: unknown) => {
        const code = (error as { code?: string }).code;
        return error instanceof PluginExitedError || code === "ERR_NETRPC_CONNECTION_LOST";
      });
      assert.deepEqual(Buffer.from(await store.Echo(Buffer.from("beside"))), Buffer.from("beside"));
      await client.kill();
      await hanging;
      assert.deepEqual(client.exitStatus, { code: 0, signal: null });
    },
  ],
];

function legacyCase(version: Version, feature: string, check: Check): Case {
  const binary = `legacy-${version}-plugin`;
  return {
    name: `ts->go-legacy netrpc ${version} ${feature}`,
    needs: [binary],
    run: async ({ bin }) => {
      const out = { stdout: new Collector(), stderr: new Collector() };
      const config = { plugins, cmd: [bin(binary)] as const, syncStdout: out.stdout, syncStderr: out.stderr };
      await withClient(config, (client) => check(client, version, out));
    },
  };
}

/** Old plugins read no list of versions: they announce the one that they have. */
function versionsCase(version: Version): Case {
  const binary = `legacy-${version}-plugin`;
  const at2 = { ...handshakeConfig, protocolVersion: 2 };
  return {
    name: `ts->go-legacy netrpc ${version} a version that the plugin does not have`,
    needs: [binary],
    run: async ({ bin }) => {
      const common = { handshakeConfig: at2, cmd: [bin(binary)] as const, logger: nullLogger };
      const strange = new Client({ ...common, plugins });
      await assert.rejects(strange.start(), {
        code: "ERR_HANDSHAKE_APP_VERSION",
        message: /Plugin version: 1, Client versions: \[2\]/,
      });
      await strange.kill();
      assertGone(strange);

      const both = new Client({ ...common, versionedPlugins: { 1: plugins, 2: { ...plugins } } });
      try {
        assert.equal(await (await both.dispense("greeter")).Greet(null), "Hello!");
        assert.equal(both.negotiatedVersion, 1);
      } finally {
        await both.kill();
      }
      assertGone(both);
    },
  };
}

export const cases: Case[] = versions.flatMap((version) => [
  ...checks.map(([feature, check]) => legacyCase(version, feature, check)),
  versionsCase(version),
]);
