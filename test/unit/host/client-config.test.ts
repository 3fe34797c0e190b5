import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ClientConfig } from "../../../src/index.js";
import { Client, nullLogger } from "../../../src/index.js";
import { binary } from "../../interop/case.js";
import { greeter, handshakeConfig, kv, withClient } from "../../interop/support.js";
import { needs } from "../../support.js";

const base = { handshakeConfig, plugins: { greeter }, cmd: ["plugin"] as const, logger: nullLogger };

describe("a configuration that cannot work is refused before anything is started", () => {
  const reattach = { address: { network: "unix", address: "/s" }, pid: 1 } as const;
  for (const [what, config, message] of [
    ["no plugins", { ...base, plugins: undefined }, "plugins or versionedPlugins must be given"],
    ["nothing to start", { ...base, cmd: undefined }, /exactly one of cmd, or reattach, or runner/],
    ["a command and a reattachment", { ...base, reattach }, /exactly one of cmd, or reattach, or runner/],
    ["a log buffer of half a byte", { ...base, pluginLogBufferSize: 0.5 }, /pluginLogBufferSize/],
    ["a log buffer of less than nothing", { ...base, pluginLogBufferSize: -1 }, /pluginLogBufferSize/],
    ["a log buffer of no number", { ...base, pluginLogBufferSize: Number.NaN }, /pluginLogBufferSize/],
    ["a log buffer without end", { ...base, pluginLogBufferSize: Infinity }, /pluginLogBufferSize/],
  ] as const) {
    test(what, () => {
      assert.throws(() => new Client(config as unknown as ClientConfig), { code: "ERR_OPTION", message });
    });
  }
});

describe("log buffers of any size", needs("kv-netrpc"), () => {
  for (const [size, expected] of [
    [0, ["0123456789"]],
    [4, ["0123", "4567", "89"]],
    [1, [..."0123456789"]],
  ] as const) {
    test(`${size}`, async () => {
      const lines: string[] = [];
      const keep = (message: string): void => void lines.push(message);
      const logger = { trace: keep, debug: keep, info: keep, warn: keep, error: keep };
      const config = {
        plugins: { kv },
        cmd: [binary("kv-netrpc")] as const,
        logger,
        pluginLogBufferSize: size,
      };
      await withClient(config, async (client) => {
        const store = await client.dispense("kv");
        lines.length = 0;
        await store.RawStderr("0123456789\n");
        await client.kill();
      });
      const at = lines.indexOf(expected[0]!);
      assert.deepEqual(lines.slice(at, at + expected.length), expected);
    });
  }
});

describe("a client that has not been started", () => {
  test("knows nothing yet, and can be killed", async () => {
    const client = new Client(base);
    assert.equal(client.id, "");
    assert.equal(client.pid, undefined);
    assert.equal(client.exited, false);
    assert.equal(client.exitStatus, undefined);
    assert.equal(client.negotiatedVersion, undefined);
    assert.equal(client.protocol, undefined);
    assert.equal(client.address, undefined);
    assert.equal(await client.reattachConfig(), undefined);
    await client.kill();
    await client.kill();
  });

  test("of a name that is not in its set is not started for it", async () => {
    const client = new Client({ ...base, cmd: ["goplug-no-such-command"] });
    await assert.rejects(client.dispense("greeter"), { code: "ERR_PLUGIN_NOT_FOUND" });
    await assert.rejects(client.dispense("greeter"), { code: "ERR_PLUGIN_NOT_FOUND" });
  });
});
