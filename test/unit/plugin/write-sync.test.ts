import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startChild } from "./run-child.js";

test("writeFully waits for a reader that is slow", async () => {
  const { child, done } = startChild("write-fully.ts", ["20000"]);
  child.stdout?.pause();
  await sleep(700);
  child.stdout?.resume();
  const { code, stdout } = await done;
  assert.deepEqual([code, stdout.length], [0, 1 << 20]);
});

test("writeFully gives up on a reader that does not read, and on one that is gone", async () => {
  const stuck = startChild("write-fully.ts", ["50"]);
  stuck.child.stdout?.pause();
  stuck.child.on("exit", () => stuck.child.stdout?.resume());
  assert.equal((await stuck.done).code, 9);
  const gone = startChild("write-fully.ts", ["20000"]);
  gone.child.stdout?.destroy();
  assert.equal((await gone.done).code, 9);
});
