import assert from "node:assert/strict";
import { test } from "node:test";
import type { Logger } from "../../../src/hclog/logger.js";
import { nullLogger } from "../../../src/hclog/logger.js";
import { gob, netRpcPlugin } from "../../../src/index.js";
import { pluginPair } from "../../../src/testing/index.js";
import { until } from "../yamux/support.js";

function keeper(): Logger & { readonly lines: string[] } {
  const lines: string[] = [];
  const keep = (message: string): void => void lines.push(message);
  return { ...nullLogger, warn: keep, error: keep, lines };
}

const stray = "a\udcffb";

test("strings that are not UTF-8 pass where a definition says escape, in calls and in callbacks", async () => {
  const callback = { Echo: [gob.string, gob.rawString] } as const;
  const plugin = netRpcPlugin(
    { Echo: [gob.string, gob.rawString], Back: [gob.uint32, gob.string] },
    { invalidUtf8: "escape" },
  );
  await using pair = await pluginPair({
    plugin: plugin.implement((broker) => ({
      Echo: (text) => text,
      async Back(id) {
        await using api = await broker.connect(id, callback, { invalidUtf8: "escape" });
        return (await api.Echo(stray)).toString("latin1");
      },
    })),
  });
  const client = await pair.client.dispense("plugin");
  assert.deepEqual(await client.Echo(stray), Buffer.from("a\xffb", "latin1"));
  const id = client.broker.serve(callback, { Echo: (text) => text }, { invalidUtf8: "escape" });
  assert.equal(await client.Back(id), "a\xffb");
});

test("elsewhere they fail their call alone, both ways", async () => {
  const plugin = netRpcPlugin({ Take: [gob.rawString, gob.string], Give: [gob.any, gob.rawString] });
  const asText = netRpcPlugin({ Take: [gob.string, gob.string], Give: [gob.any, gob.string] });
  await using pair = await pluginPair({
    plugin: asText.implement({ Take: (text) => text, Give: () => "" }),
    raw: plugin.implement({ Take: () => "", Give: () => Buffer.from("a\xffb", "latin1") }),
  });
  const { client } = pair;
  const textPlugin = await client.dispense("plugin");
  await assert.rejects(textPlugin.Take(stray), { code: "ERR_GOB_UTF8" });
  assert.equal(await textPlugin.Take("fine"), "fine");
});

test("what may pile up unanswered is an option of serving, of a definition, and of what a broker serves", async () => {
  const table = {
    Poll: [gob.any, gob.string],
    Release: [gob.any, gob.string],
    Via: [gob.any, gob.uint32],
  } as const;
  for (const where of ["serving", "definition", "broker", "nowhere"] as const) {
    const logger = keeper();
    const small = { maxUnansweredBytes: 3000 };
    const definition = netRpcPlugin(table, where === "definition" ? small : {});
    let polls = 0;
    const waiting: (() => void)[] = [];
    const service = {
      Poll: () =>
        new Promise<string>((resolve) => {
          polls++;
          waiting.push(() => resolve("polled"));
        }),
      Release() {
        for (const go of waiting.splice(0)) go();
        return "released";
      },
    };
    await using pair = await pluginPair(
      {
        plugin: definition.implement((broker) => ({
          ...service,
          Via: () => broker.serve(table, { ...service, Via: () => 0 }, where === "broker" ? small : {}),
        })),
      },
      { logger, ...(where === "serving" && small) },
    );
    const direct = await pair.client.dispense("plugin");
    const client =
      where === "broker" ? await pair.client.broker.connect(await direct.Via(null), table) : direct;
    const calls = Array.from({ length: 100 }, () => client.Poll(null));
    if (where === "nowhere") {
      assert.equal(await client.Release(null), "released");
      await until(() => polls === 100, "all polls");
    } else {
      await until(() => logger.lines.length === 1, "the log line");
      assert.match(logger.lines[0]!, /maxUnansweredBytes/);
      assert.ok(polls < 12, `${polls} polls were read`);
    }
    while (polls < 100 || waiting.length > 0) {
      service.Release();
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    assert.equal((await Promise.all(calls)).length, 100);
  }
});

test("options that make no sense are refused where they are given", async () => {
  const broken = { plugin: netRpcPlugin({}, { invalidUtf8: "guess" as never }).implement({}) };
  await using pair = await pluginPair(broken);
  await assert.rejects(
    pair.client.dispense("plugin"),
    /invalidUtf8 must be "refuse" or "escape", not "guess"/,
  );
  for (const maxUnansweredBytes of [0, -1, 1.5, Number.NaN, "1" as never]) {
    const bad = { plugin: netRpcPlugin({}, { maxUnansweredBytes }).implement({}) };
    await using other = await pluginPair(bad);
    await assert.rejects(other.client.dispense("plugin"), /maxUnansweredBytes must be a whole number/);
  }
});
