// Test environments for browsers (jsdom's in jest and vitest) replace the timers by ones that give back numbers.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Client, nullLogger } from "../../../src/index.js";
import { binary } from "../../interop/case.js";
import { assertGone, handshakeConfig, kv } from "../../interop/support.js";
import { needs } from "../../support.js";

test("a host works where timers are numbers", needs("kv-netrpc"), async (t) => {
  const { setTimeout: timeout, setInterval: interval } = globalThis;
  const numbered = (real: (...args: never[]) => NodeJS.Timeout) =>
    ((...args: never[]) => Number(real(...args))) as unknown as typeof globalThis.setTimeout;
  globalThis.setTimeout = numbered(timeout as never);
  globalThis.setInterval = numbered(interval as never) as unknown as typeof globalThis.setInterval;
  t.after(() => Object.assign(globalThis, { setTimeout: timeout, setInterval: interval }));
  assert.equal(typeof setTimeout(() => {}, 0), "number");
  const client = new Client({
    handshakeConfig,
    plugins: { kv },
    cmd: [binary("kv-netrpc")],
    logger: nullLogger,
    startTimeout: 30_000,
  });
  const store = await client.dispense("kv", { timeout: 30_000 });
  const accepted = client.client().then(async (connection) => {
    const { broker } = connection as unknown as {
      broker: { accept(id: number, options: object): Promise<unknown> };
    };
    await assert.rejects(broker.accept(77, { timeout: 50 }));
  });
  await store.Sleep(10, { timeout: 30_000 });
  await client.ping({ timeout: 30_000 });
  await accepted;
  await assert.rejects(store.Hang(null, { timeout: 20 }), { code: "ERR_NETRPC_TIMEOUT" });
  await client.kill();
  assertGone(client);
});
