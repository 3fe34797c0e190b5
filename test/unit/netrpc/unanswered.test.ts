import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import * as gob from "../../../src/gob/index.js";
import { Client, nullLogger } from "../../../src/index.js";
import type { UnansweredCall } from "../../../src/netrpc/index.js";
import { binary } from "../../interop/case.js";
import { handshakeConfig, kv, until } from "../../interop/support.js";
import { needs } from "../../support.js";
import { settle } from "./scripted-channel.js";
import { methods, scripted } from "./support.js";

const { Echo } = methods;

function watched(after: number) {
  const told: UnansweredCall[] = [];
  return { ...scripted({ unanswered: { after, tell: (call) => told.push(call) } }), told };
}

describe("calls without an answer", () => {
  test("are told once for each method, with a short argument", async () => {
    const { told, client, rpc } = watched(40);
    const calls = [rpc.Nothing("x"), rpc.Wait(7), rpc.Wait(8), rpc.Echo(Buffer.from("x"))];
    await until("the words", () => told.length === 3);
    const again = rpc.Wait(9);
    await sleep(150);
    assert.deepEqual(told, [
      { serviceMethod: "Test.Nothing", argument: '"x"' },
      { serviceMethod: "Test.Wait", argument: "7" },
      { serviceMethod: "Test.Echo", argument: undefined },
    ]);
    for (const call of [...calls, again]) call.catch(() => {});
    await client.close();
  });

  test("are not told before their time, nor once they are answered", async () => {
    const { channel, told, rpc, answers } = watched(60_000);
    const call = rpc.Nothing("x");
    await settle();
    channel.feed(answers.ok(0, gob.any, null));
    await call;
    assert.deepEqual(told, []);
    const quick = watched(30);
    for (let seq = 0; seq < 6; seq++) {
      const answered = quick.rpc.Echo(Buffer.from("x"));
      await settle();
      await sleep(15);
      quick.channel.feed(quick.answers.ok(seq, Echo[1], Buffer.from("y")));
      await answered;
    }
    assert.deepEqual(quick.told, []);
  });

  test("keep nobody alive", () => {
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
    const before = timers();
    const { rpc } = watched(60_000);
    rpc.Nothing("x").catch(() => {});
    assert.equal(timers(), before);
  });
});

test(
  "a call that Go does not answer: the host's log says so, and of which plugin",
  needs("kv-netrpc"),
  async () => {
    const lines: [string, unknown][] = [];
    await using client = new Client({
      handshakeConfig,
      plugins: { kv },
      cmd: [binary("kv-netrpc")],
      logger: { ...nullLogger, warn: (message, fields) => lines.push([message, fields]) },
      unansweredWarning: 50,
    });
    const store = await client.dispense("kv");
    const call = assert.rejects(store.Hang(null));
    await until("the warning", () => lines.length > 0);
    const [message, fields] = lines[0]!;
    assert.equal(message, "a call has had no answer for 0.05 s");
    const { type, method, argument, hint, plugin: name } = fields as Record<string, string>;
    assert.deepEqual([type, method, argument], ["kv", "Plugin.Hang", "null"]);
    assert.match(name!, /kv-netrpc(?:\.exe)?$/);
    assert.match(hint!, /a timeout of the call ends the wait$/);
    await client.kill();
    await call;
  },
);
