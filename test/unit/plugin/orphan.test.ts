import assert from "node:assert/strict";
import { test } from "node:test";
import { parentWatch, watchOrphan } from "../../../src/plugin/orphan.js";

/** An interval that passes when the test says so. */
function manual() {
  let look: (() => void) | undefined;
  return {
    every: (_: number, callback: () => void) => {
      look = callback;
      return () => {
        look = undefined;
      };
    },
    tick: () => look?.(),
  };
}

test("a plugin is orphaned once parent and connections have been gone together for the time of grace", () => {
  const world = { now: 0, gone: false, open: 0, fired: 0 };
  const { every, tick } = manual();
  watchOrphan({
    every,
    openConnections: () => world.open,
    parentGone: () => world.gone,
    now: () => world.now,
    onOrphaned: () => world.fired++,
  });
  const pass = (seconds: number) => {
    for (let i = 0; i < seconds; i++) {
      world.now += 1000;
      tick();
    }
  };
  pass(60);
  assert.equal(world.fired, 0, "a living parent is enough");
  world.gone = true;
  world.open = 1;
  pass(60);
  assert.equal(world.fired, 0, "a connection is enough");
  world.open = 0;
  pass(9);
  world.open = 1;
  pass(1);
  world.open = 0;
  pass(10);
  assert.equal(world.fired, 0, "the time starts again after each connection");
  pass(1);
  assert.equal(world.fired, 1);
  pass(60);
  assert.equal(world.fired, 1, "told once");
});

test("a watch that was ended says nothing", () => {
  const { every, tick } = manual();
  const onOrphaned = () => assert.fail("told after the end");
  const stop = watchOrphan({
    every,
    openConnections: () => 0,
    parentGone: () => true,
    graceMs: 0,
    onOrphaned,
  });
  stop();
  tick();
});

test("the watch does not keep the process alive", async () => {
  // The test process would hang at its end; what can be seen from inside is that the timer is unref'd.
  const before = process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
  const stop = watchOrphan({ openConnections: () => 0, onOrphaned: () => {} });
  const after = process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
  stop();
  assert.equal(after, before);
});

test("parentWatch: POSIX gives an orphan another parent, Windows lets the number stand", () => {
  let parent = 500;
  const posix = parentWatch(() => parent, "linux");
  assert.equal(posix(), false);
  parent = 1;
  assert.equal(posix(), true);
  assert.equal(parentWatch(() => process.pid, "win32")(), false);
  assert.equal(parentWatch(() => 2 ** 22 + 1, "win32")(), true, "no process can have that number on Linux");
});
