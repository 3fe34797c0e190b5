import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { readOut } from "../../../src/process/read-out.js";

test("a pipe that still gives bytes is not given up, although it takes longer than its silence may", async () => {
  const pipe = new PassThrough();
  let read = "";
  pipe.on("data", (chunk: Buffer) => (read += chunk));
  const done = readOut([pipe], { quiet: 1000, total: 60_000 });
  for (let i = 0; i < 7; i++) {
    await sleep(200);
    pipe.write(String(i));
  }
  pipe.end("end");
  await done;
  assert.equal(read, "0123456end");
});

test("a pipe that has gone silent is given up, also after bytes", { timeout: 10_000 }, async () => {
  const pipe = new PassThrough();
  pipe.resume();
  const done = readOut([pipe], { quiet: 100, total: 20_000 });
  pipe.write("x");
  await done;
  assert(pipe.destroyed);
});
