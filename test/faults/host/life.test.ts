// What a host must stand: plugins that stop, flood, ignore it, and its own user's bad moments.
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { after, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { NetRpcProtocolClient } from "../../../src/host/net-rpc-client.js";
import { Client, type ClientConfig, GoplugError, nullLogger, PluginExitedError } from "../../../src/index.js";
import { dial } from "../../../src/yamux/index.js";
import { binary } from "../../interop/case.js";
import {
  assertGone,
  greeter,
  handshakeConfig,
  kv,
  pattern,
  stop,
  withClient,
} from "../../interop/support.js";
import { needs } from "../../support.js";

const folder = mkdtempSync(join(tmpdir(), "goplug-life-"));
after(() => rmSync(folder, { recursive: true }));

/** A kv plugin that keeps its socket in this test's own folder. */
const kvCommand = { path: binary("kv-netrpc"), env: { TMPDIR: folder } };
const kvConfig = { plugins: { kv }, cmd: kvCommand } satisfies Partial<ClientConfig>;

describe("a plugin that is stopped", needs("kv-netrpc"), () => {
  test("ping's own limit ends the wait, and kill ends the plugin", () =>
    withClient(kvConfig, async (client) => {
      await client.ping();
      await stop(client.pid!);
      await assert.rejects(client.ping({ timeout: 100 }), { code: "ERR_NETRPC_TIMEOUT" });
      await assert.rejects(client.ping({ signal: AbortSignal.timeout(100) }), { code: "ERR_ABORTED" });
      const started = performance.now();
      await client.kill();
      assert(performance.now() - started < 20_000);
      assert.deepEqual(client.exitStatus, { code: null, signal: "SIGKILL" });
    }));

  test("in the middle of a large argument: kill does not wait for the write's limit", () =>
    withClient(kvConfig, async (client) => {
      const store = await client.dispense("kv");
      await stop(client.pid!);
      const calls = Array.from({ length: 8 }, () =>
        assert.rejects(store.Echo(pattern(4 << 20)), PluginExitedError),
      );
      await sleep(50);
      const started = performance.now();
      await client.kill();
      assert(performance.now() - started < 20_000, `${performance.now() - started} ms`);
      await Promise.all(calls);
    }));

  test("and goes on again: nothing is lost", () =>
    withClient(kvConfig, async (client) => {
      const store = await client.dispense("kv");
      await stop(client.pid!);
      const echo = store.Echo(pattern(4 << 20));
      await assert.rejects(client.ping({ timeout: 50 }), { code: "ERR_NETRPC_TIMEOUT" });
      process.kill(client.pid!, "SIGCONT");
      assert.equal(Buffer.compare(await echo, pattern(4 << 20)), 0);
      await client.ping();
    }));

  test("yamux's keepalive ends the connection, and with it pending calls", () =>
    withClient(kvConfig, async (client) => {
      await client.start();
      const session = await dial({
        path: client.address!.address,
        keepAliveInterval: 50,
        connectionWriteTimeout: 1500,
      });
      const own = await NetRpcProtocolClient.open(session, { plugins: { kv } });
      const store = await own.dispense("kv");
      await stop(client.pid!);
      await assert.rejects(store.Hang(null), { code: "ERR_NETRPC_CONNECTION_LOST" });
      assert.equal(session.error?.code, "ERR_YAMUX_KEEPALIVE_TIMEOUT");
      await own.disconnect();
    }));
});

describe("a plugin that writes 100 MB to its stderr", needs("kv-netrpc"), () => {
  const piece = `${"x".repeat(99)}\n`.repeat(5243);

  test("is read, bounded in memory, and answers meanwhile", async () => {
    let copied = 0;
    const stderr = new Writable({
      write(chunk: Buffer, _encoding, done) {
        copied += chunk.length;
        done();
      },
    });
    await withClient({ ...kvConfig, stderr }, async (client) => {
      const store = await client.dispense("kv");
      const before = process.memoryUsage.rss();
      for (let i = 0; i < 200; i++) assert.equal(await store.RawStderr(piece), piece.length);
      await client.ping();
      assert(process.memoryUsage.rss() - before < 200 << 20);
    });
    assert(copied >= 200 * piece.length, `${copied}`);
  });

  test("to a writer that takes its time: the plugin waits, the host does not pile it up", async () => {
    const held: (() => void)[] = [];
    let slow = true;
    const stderr = new Writable({
      write(_chunk: Buffer, _encoding, done) {
        if (slow) held.push(done);
        else done();
      },
    });
    await withClient({ ...kvConfig, stderr }, async (client) => {
      const store = await client.dispense("kv");
      const writing = store.RawStderr(piece.repeat(4));
      await client.ping();
      await assert.rejects(
        Promise.race([writing, sleep(200).then(() => Promise.reject(new Error("waits")))]),
        {
          message: "waits",
        },
      );
      assert(stderr.writableLength < 1 << 20, `${stderr.writableLength} bytes`);
      slow = false;
      for (const done of held) done();
      assert.equal(await writing, 4 * piece.length);
    });
  });

  test("to a writer that never takes it: kill ends the plugin all the same", async () => {
    const stderr = new Writable({ write() {} });
    await withClient({ ...kvConfig, stderr }, async (client) => {
      const store = await client.dispense("kv");
      const writing = assert.rejects(store.RawStderr(piece.repeat(4)), GoplugError);
      await sleep(50);
      await client.kill();
      await writing;
    });
  });

  test("to a writer that is gone: it is read to nowhere", async () => {
    const stderr = new Writable({ write: (_chunk, _encoding, done) => done() });
    stderr.destroy();
    await withClient({ ...kvConfig, stderr }, async (client) => {
      const store = await client.dispense("kv");
      assert.equal(await store.RawStderr(piece.repeat(4)), 4 * piece.length);
    });
  });
});

describe("writers for the synced streams", needs("kv-netrpc"), () => {
  test("that never take anything do not keep kill from its end, nor other calls", async () => {
    const syncStdout = new Writable({ write() {} });
    await withClient({ ...kvConfig, syncStdout }, async (client) => {
      const store = await client.dispense("kv");
      const writing = assert.rejects(store.WriteStdout(4 << 20), GoplugError);
      await sleep(50);
      await client.ping({ timeout: 5000 });
      await client.kill();
      await writing;
    });
  });

  test("that break are written to no more", async () => {
    const syncStdout = new Writable({ write: (_chunk, _encoding, done) => done(new Error("disk full")) });
    syncStdout.on("error", () => {});
    await withClient({ ...kvConfig, syncStdout }, async (client) => {
      const store = await client.dispense("kv");
      assert.equal(await store.WriteStdout(4 << 20), 4 << 20);
      await client.ping();
    });
  });
});

describe("kill", needs("greeter-netrpc", "kv-netrpc", "misbehave"), () => {
  const command = (path: string, ...args: string[]) => ({
    path: binary(path),
    args,
    env: { TMPDIR: folder },
  });
  // A plugin that is killed between listening and announcing its socket leaves it where nobody looks for it, unless
  // it is in a folder of the host's.
  const unixSocketConfig = { tempDir: folder };
  const config = { handshakeConfig, plugins: { greeter }, logger: nullLogger, unixSocketConfig };

  test("at every moment of the start, concurrently and again", async () => {
    for (let moment = 0; moment < 40; moment++) {
      const client = new Client({ ...config, cmd: command("greeter-netrpc") });
      const outcomes = [client.start(), client.dispense("greeter"), client.ping()].map((wait) =>
        wait.then(
          () => "done",
          (error: unknown) => {
            assert(error instanceof GoplugError, String(error));
            return error.code;
          },
        ),
      );
      if (moment % 8 > 0) await sleep(moment / 2);
      await Promise.all([client.kill(), client.kill(), client[Symbol.asyncDispose]()]);
      const allowed =
        /^(?:done|ERR_ABORTED|ERR_CLIENT_ENDED|ERR_PLUGIN_EXITED|ERR_NETRPC_SHUTDOWN|ERR_NETRPC_CONNECTION_LOST)$/;
      for (const outcome of await Promise.all(outcomes)) assert.match(outcome, allowed);
      assertGone(client);
      await client.kill();
      await assert.rejects(client.start(), { code: "ERR_CLIENT_ENDED" });
    }
  });

  test("before the start", async () => {
    const client = new Client({ ...config, cmd: command("greeter-netrpc") });
    await client.kill();
    assert.equal(client.id, "");
    await assert.rejects(client.dispense("greeter"), { code: "ERR_CLIENT_ENDED" });
  });

  test("after a start that failed", async () => {
    const client = new Client({ ...config, cmd: command("misbehave", "exit") });
    await assert.rejects(client.start(), { code: "ERR_START_EXITED" });
    await client.kill();
    await assert.rejects(client.start(), { code: "ERR_START_EXITED" });
  });

  test("of a plugin that was never connected to: it ends by itself", async () => {
    const client = new Client({ ...config, cmd: command("greeter-netrpc") });
    await client.start();
    await client.kill();
    assert.deepEqual(client.exitStatus, { code: 0, signal: null });
    assertGone(client);
  });

  test("with calls in flight: they end with a typed error", async () => {
    const client = new Client({ handshakeConfig, plugins: { kv }, cmd: kvCommand, logger: nullLogger });
    const store = await client.dispense("kv");
    const hanging = Array.from({ length: 20 }, () => assert.rejects(store.Hang(null), GoplugError));
    await client.ping();
    await client.kill();
    await Promise.all(hanging);
    assertGone(client);
    await assert.rejects(store.Get("k"), { code: "ERR_NETRPC_SHUTDOWN" });
  });

  test("of a plugin that ended before", async () => {
    const client = new Client({ handshakeConfig, plugins: { kv }, cmd: kvCommand, logger: nullLogger });
    const store = await client.dispense("kv");
    await assert.rejects(store.Exit(7), (error: unknown) => {
      assert(error instanceof PluginExitedError);
      assert.deepEqual(error.exit, { code: 7, signal: null });
      return true;
    });
    await client.kill();
    assertGone(client);
  });

  test("of a plugin that ignores Quit, by two at once: one SIGKILL after 2 s", async () => {
    const client = new Client({
      handshakeConfig,
      plugins: { kv },
      cmd: { ...kvCommand, env: { TMPDIR: folder, GOPLUG_FIXTURE: "ignore-quit" } },
      logger: nullLogger,
    });
    await client.ping();
    const started = performance.now();
    await Promise.all([client.kill(), client.kill()]);
    const took = performance.now() - started;
    assert(took > 1900 && took < 20_000, `${took} ms`);
    assert.deepEqual(client.exitStatus, { code: null, signal: "SIGKILL" });
    assertGone(client);
  });

  test("leaves no socket behind, whenever it came", () => {
    assert.deepEqual(readdirSync(folder, { recursive: true }), []);
  });
});

describe("a start that its signal calls off", needs("greeter-netrpc"), () => {
  test("at every moment leaves nothing", async () => {
    const mine = mkdtempSync(join(folder, "aborts-"));
    for (let moment = 0; moment < 24; moment++) {
      const client = new Client({
        handshakeConfig,
        plugins: { greeter },
        cmd: { path: binary("greeter-netrpc"), env: { TMPDIR: mine } },
        unixSocketConfig: { tempDir: mine },
        logger: nullLogger,
      });
      const abort = new AbortController();
      const starting = client.dispense("greeter", { signal: abort.signal }).then(
        () => "done",
        (error: unknown) => (error as GoplugError).code,
      );
      if (moment > 0) await sleep(moment / 2);
      abort.abort(new Error("changed my mind"));
      assert.match(await starting, /^(?:done|ERR_ABORTED)$/);
      await client.kill();
      assertGone(client);
    }
    assert.deepEqual(readdirSync(mine), []);
    rmSync(mine, { recursive: true });
  });
});
