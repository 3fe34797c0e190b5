import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { describe, test } from "node:test";
import { Client, gob, netRpcPlugin, nullLogger, serve } from "../../../src/index.js";
import type { ServeTestConfig, TestReattachConfig } from "../../../src/plugin/serve-config.js";
import { Collector, handshakeConfig, until } from "../../interop/support.js";

const echo = netRpcPlugin({ Echo: [gob.string, gob.string] });
const implemented = {
  echo: echo.implement({
    Echo(text) {
      process.stderr.write(text);
      return text;
    },
  }),
};

/** Serves in this process; `done` resolves when the serving has ended. */
async function start(signal: AbortSignal, test: ServeTestConfig = {}) {
  let told!: (config: TestReattachConfig) => void;
  const config = new Promise<TestReattachConfig>((resolve) => {
    told = resolve;
  });
  const serving = { handshakeConfig, plugins: implemented, logger: nullLogger, signal };
  const done = serve({ ...serving, test: { ...test, onReattachConfig: told } });
  return { reattach: await Promise.race([config, done.then(() => assert.fail("ended early"))]), done };
}

const host = (reattach: TestReattachConfig, syncStderr = new Collector()) =>
  new Client({ handshakeConfig, plugins: { echo }, reattach, logger: nullLogger, syncStderr });

describe("serve in test mode", () => {
  test("hands out where it is, serves hosts one after another, and ends with its signal", async () => {
    const abort = new AbortController();
    const { reattach, done } = await start(abort.signal);
    assert.deepEqual(
      { ...reattach, address: reattach.address.network },
      { protocol: "netrpc", protocolVersion: 1, address: "unix", pid: process.pid, test: true },
    );
    for (const text of ["", ""]) {
      const client = host(reattach);
      assert.equal(await (await client.dispense("echo")).Echo(text), text);
      await client.kill();
    }
    const signals = process.listenerCount("SIGINT") + process.listenerCount("SIGTERM");
    assert.equal(signals, 0, "the process's signals are its own");
    abort.abort();
    await done;
    assert.equal(existsSync(reattach.address.address), false);
  });

  test("several at once", async () => {
    const abort = new AbortController();
    const [a, b] = await Promise.all([start(abort.signal), start(abort.signal)]);
    const clients = [host(a.reattach), host(b.reattach)];
    for (const client of clients) assert.equal(await (await client.dispense("echo")).Echo(""), "");
    for (const client of clients) await client.kill();
    abort.abort();
    await Promise.all([a.done, b.done]);
  });

  // On stderr, because the test runner reports on stdout.
  test("with syncStdio output goes to the host and to where it went", async () => {
    const abort = new AbortController();
    const write = process.stderr.write;
    let own = "";
    process.stderr.write = (chunk: string | Uint8Array) => {
      own += chunk.toString();
      return true;
    };
    const replaced = process.stderr.write;
    try {
      const { reattach, done } = await start(abort.signal, { syncStdio: true });
      const synced = new Collector();
      const client = host(reattach, synced);
      await (await client.dispense("echo")).Echo("copied");
      await until("the host has it", () => synced.bytes.toString() === "copied");
      await client.kill();
      abort.abort();
      await done;
      assert.equal(own, "copied");
      assert.equal(process.stderr.write, replaced, "the stream is given back");
    } finally {
      process.stderr.write = write;
    }
  });

  test("errors of the configuration are thrown, and the process goes on", async () => {
    const serving = { handshakeConfig, logger: nullLogger, test: {} };
    await assert.rejects(serve(serving), { code: "ERR_SERVE_CONFIG" });
    const provider = () => Promise.reject(new Error("no certificate today"));
    await assert.rejects(serve({ ...serving, plugins: implemented, tlsProvider: provider }), {
      message: "no certificate today",
    });
  });
});
