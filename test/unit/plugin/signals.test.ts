import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { startChild } from "./run-child.js";

const start = async (...args: string[]) => {
  const running = startChild("signals.ts", args);
  const [line] = (await once(running.child.stdout!, "data")) as [string];
  return { ...running, socket: line.trim() };
};

for (const signal of ["SIGTERM", "SIGHUP"] as const) {
  test(`SIGINT is counted and ignored, ${signal} stops, and the socket file goes`, async () => {
    const { child, done, socket } = await start();
    assert.ok(existsSync(socket));
    for (const _ of [1, 2]) {
      child.kill("SIGINT");
      await once(child.stderr!, "data");
    }
    child.kill(signal);
    const { code, stderr } = await done;
    assert.equal(code, 0);
    const lines = stderr.trim().split("\n");
    assert.match(
      lines[0]!,
      /"@level":"trace","@message":"plugin received interrupt signal, ignoring".*"count":1/,
    );
    assert.match(lines[1]!, /"count":2/);
    assert.match(lines[2]!, new RegExp(`"stopping".*"${signal}"`));
    assert.equal(existsSync(socket), false);
  });
}

test("an uncaught exception leaves no socket file behind", async () => {
  const { done, socket } = await start("throw");
  const { code, stderr } = await done;
  assert.equal(code, 1);
  assert.match(stderr, /uncaught/);
  assert.equal(existsSync(socket), false);
});
