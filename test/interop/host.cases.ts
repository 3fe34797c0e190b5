// A TypeScript host with Go plugins over net/rpc.
import assert from "node:assert/strict";
import { gob, netRpcPlugin, PluginExitedError, RemoteError, UnknownPluginError } from "../../src/index.js";
import { describeExit } from "../../src/process/runner.js";
import type { Case, CaseContext } from "./case.js";
import {
  Collector,
  greeter,
  isRunning,
  killedByOther,
  kv,
  pattern,
  stopped,
  until,
  withClient,
} from "./support.js";

type KvClient = Awaited<ReturnType<typeof kv.client>>;

/** A case that needs the kv plugin, dispensed. */
function onKv(feature: string, use: (store: KvClient, context: CaseContext) => Promise<void>): Case {
  return {
    name: `ts->go netrpc ${feature}`,
    needs: ["kv-netrpc"],
    run: (context) =>
      withClient({ plugins: { kv }, cmd: [context.bin("kv-netrpc")] }, async (client) =>
        use(await client.dispense("kv"), context),
      ),
  };
}

function roundTrip(label: string, size: number): Case {
  return onKv(`kv put and get ${label}`, async (store) => {
    const value = pattern(size);
    await store.Put({ key: "k", value });
    assert.equal(Buffer.compare(Buffer.from(await store.Get("k")), value), 0);
  });
}

export const cases: Case[] = [
  {
    name: "ts->go netrpc greet",
    needs: ["greeter-netrpc"],
    run: ({ bin }) =>
      withClient({ plugins: { greeter }, cmd: [bin("greeter-netrpc")] }, async (client) => {
        const plugin = await client.dispense("greeter");
        assert.equal(await plugin.Greet(null), "Hello!");
        assert.equal(client.protocol, "netrpc");
        assert.equal(client.negotiatedVersion, 1);
      }),
  },
  roundTrip("empty", 0),
  roundTrip("64 B", 64),
  roundTrip("1 MiB", 1 << 20),
  roundTrip("64 MiB", 64 << 20),
  onKv("remote error text", async (store) => {
    await assert.rejects(store.Get("nothing"), (error: unknown) => {
      assert(error instanceof RemoteError);
      assert.equal(error.message, "key not found: nothing");
      assert.equal(error.serviceMethod, "Plugin.Get");
      return true;
    });
    await store.Put({ key: "nothing", value: Buffer.from("something") });
    assert.equal(Buffer.from(await store.Get("nothing")).toString(), "something");
  }),
  onKv("unknown method", async (store) => {
    await assert.rejects(store.NoSuchMethod("argument"), {
      name: "RemoteError",
      message: "rpc: can't find method Plugin.NoSuchMethod",
    });
    assert.deepEqual(Buffer.from(await store.Echo(pattern(3))), pattern(3));
  }),
  {
    name: "ts->go netrpc unknown method with a nil interface, which Go's server cannot discard",
    needs: ["greeter-netrpc"],
    run: async ({ bin }) => {
      const misnamed = netRpcPlugin({ greet: [gob.any, gob.string], Greet: [gob.any, gob.string] });
      await withClient({ plugins: { greeter: misnamed }, cmd: [bin("greeter-netrpc")] }, async (client) => {
        const plugin = await client.dispense("greeter");
        await assert.rejects(plugin.greet(null), {
          name: "RemoteError",
          message: "rpc: can't find method Plugin.greet",
          didYouMean: ["Plugin.Greet"],
        });
        assert.equal(await plugin.Greet(null), "Hello!");
        assert.equal(client.counters.calls, 2);
      });
    },
  },
  {
    name: "ts->go netrpc ping",
    needs: ["kv-netrpc"],
    run: ({ bin }) =>
      withClient({ plugins: { kv }, cmd: [bin("kv-netrpc")] }, async (client) => {
        for (let i = 0; i < 3; i++) await client.ping({ timeout: 10_000 });
      }),
  },
  {
    name: "ts->go netrpc unknown plugin",
    needs: ["greeter-netrpc"],
    run: ({ bin }) =>
      withClient({ plugins: { greeter, stranger: kv }, cmd: [bin("greeter-netrpc")] }, async (client) => {
        await assert.rejects(client.dispense("stranger"), {
          name: "RemoteError",
          message: "unknown plugin type: stranger",
        });
        await assert.rejects(client.dispense("nobody" as "stranger"), UnknownPluginError);
        assert.equal(await (await client.dispense("greeter")).Greet(null), "Hello!");
      }),
  },
  onKv("64 in flight, 10,000 calls", async (store) => {
    const keys = Array.from({ length: 100 }, (_, i) => `key ${i}`);
    for (const [i, key] of keys.entries())
      await store.Put({ key, value: Buffer.from(`${key}: ${"x".repeat(i)}`) });
    let next = 0;
    const worker = async (): Promise<void> => {
      for (let n = next++; n < 10_000; n = next++) {
        const i = n % 100;
        assert.equal(Buffer.from(await store.Get(keys[i]!)).toString(), `key ${i}: ${"x".repeat(i)}`);
      }
    };
    await Promise.all(Array.from({ length: 64 }, worker));
  }),
  {
    name: "ts->go netrpc stdout and stderr synced, 1 MiB each",
    needs: ["kv-netrpc"],
    async run({ bin }) {
      const [syncStdout, syncStderr] = [new Collector(), new Collector()];
      const config = { plugins: { kv }, cmd: [bin("kv-netrpc")] as [string], syncStdout, syncStderr };
      await withClient(config, async (client) => {
        const store = await client.dispense("kv");
        assert.deepEqual(await Promise.all([store.WriteStdout(1 << 20), store.WriteStderr(1 << 20)]), [
          1 << 20,
          1 << 20,
        ]);
        await until("1 MiB on each stream", () => syncStdout.size >= 1 << 20 && syncStderr.size >= 1 << 20);
      });
      assert.equal(Buffer.compare(syncStdout.bytes, pattern(1 << 20)), 0);
      assert.equal(Buffer.compare(syncStderr.bytes, pattern(1 << 20)), 0);
    },
  },
  {
    name: "ts->go netrpc graceful kill",
    needs: ["kv-netrpc"],
    run: ({ bin }) =>
      withClient({ plugins: { kv }, cmd: [bin("kv-netrpc")] }, async (client) => {
        await client.dispense("kv");
        await Promise.all([client.kill(), client.kill()]);
        assert.equal(client.exited, true);
        assert.deepEqual(client.exitStatus, { code: 0, signal: null });
        await assert.rejects(client.dispense("kv"), { code: "ERR_CLIENT_ENDED" });
      }),
  },
  {
    name: "ts->go netrpc kill of a plugin that hangs",
    needs: ["kv-netrpc"],
    run: ({ bin }) =>
      withClient({ plugins: { kv }, cmd: [bin("kv-netrpc")] }, async (client) => {
        const store = await client.dispense("kv");
        // The answer never comes: the process stops itself in mid-call.
        const frozen = assert.rejects(store.Freeze(null), PluginExitedError);
        await stopped(Number(client.id));
        await client.kill();
        await frozen;
        assert.deepEqual(client.exitStatus, { code: null, signal: "SIGKILL" });
      }),
  },
  {
    name: "ts->go netrpc kill of a plugin that ignores quit",
    needs: ["kv-netrpc"],
    run: ({ bin }) => {
      const cmd = { path: bin("kv-netrpc"), env: { GOPLUG_FIXTURE: "ignore-quit" } };
      return withClient({ plugins: { kv }, cmd }, async (client) => {
        await client.ping();
        await client.kill();
        assert.deepEqual(client.exitStatus, { code: null, signal: "SIGKILL" });
      });
    },
  },
  onKv("plugin killed in mid-call", async (store, { bin }) => {
    const others = [store.Hang(null), store.Hang(null)].map((call) =>
      assert.rejects(call, PluginExitedError),
    );
    await assert.rejects(store.KillSelf(null), (error: unknown) => {
      assert(error instanceof PluginExitedError);
      assert.deepEqual(error.exit, killedByOther);
      assert.ok(error.message.includes(`${bin("kv-netrpc")} ${describeExit(killedByOther)}`), error.message);
      return true;
    });
    await Promise.all(others);
    await assert.rejects(store.Get("k"), { code: "ERR_NETRPC_SHUTDOWN" });
  }),
  onKv("plugin panics in mid-call", async (store) => {
    await assert.rejects(store.Crash("at the worst moment"), (error: unknown) => {
      assert(error instanceof PluginExitedError);
      assert.equal(error.exit.code, 2);
      assert.match(error.message, /it panicked:\npanic: at the worst moment/);
      return true;
    });
  }),
  onKv("call abandoned by its signal and by its timeout", async (store) => {
    const abort = new AbortController();
    const sleeping = store.Sleep(200, { signal: abort.signal });
    abort.abort(new Error("changed my mind"));
    await assert.rejects(sleeping, { code: "ERR_ABORTED" });
    await assert.rejects(store.Sleep(200, { timeout: 20 }), { code: "ERR_NETRPC_TIMEOUT" });
    assert.equal(await store.Sleep(300), 300);
  }),
  {
    name: "ts->go netrpc host exit takes the plugin along",
    needs: ["kv-netrpc"],
    async run({ bin }) {
      const { spawn } = await import("node:child_process");
      const host = spawn(
        process.execPath,
        ["--import", "tsx", "test/interop/exiting-host.ts", bin("kv-netrpc")],
        {
          stdio: ["ignore", "pipe", "inherit"],
        },
      );
      let printed = "";
      host.stdout.on("data", (chunk: Buffer) => {
        printed += chunk;
      });
      await new Promise((resolve) => host.once("close", resolve));
      const pid = Number(printed.trim());
      assert(pid > 0, `the host printed ${printed}`);
      await until("the end of the plugin", () => !isRunning(pid));
    },
  },
];
