// What a plugin logs right before its end: a Go plugin loses nothing of it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { gob, netRpcPlugin, nullLogger } from "../../../src/index.js";
import { withClient } from "../../interop/support.js";

const LINES = 5000;
const talker = netRpcPlugin({ Talk: [gob.struct({ Lines: gob.int, Way: gob.string }), gob.any] });
const plugin = fileURLToPath(new URL("logging-plugin.ts", import.meta.url));

for (const way of ["exit", "throw", "return, and be killed"]) {
  test(`of ${LINES} lines logged before a plugin's end none is lost: ${way}`, async () => {
    const seen: string[] = [];
    const note = (message: string): void => void seen.push(message);
    const logger = { ...nullLogger, info: note, error: note, named: () => logger };
    const cmd = [process.execPath, "--import", import.meta.resolve("tsx"), plugin];
    await withClient({ plugins: { talker }, cmd, logger }, async (client) => {
      const face = await client.dispense("talker");
      await face.Talk({ Lines: LINES, Way: way }).catch(() => {});
    });
    assert.equal(seen.filter((message) => message.startsWith("line ")).length, LINES);
    assert.ok(seen.includes("last words"));
  });
}
