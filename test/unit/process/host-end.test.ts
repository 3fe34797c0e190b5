import assert from "node:assert/strict";
import { test } from "node:test";
import { needsDetaching } from "../../../src/process/command-runner.js";
import { onEndingSignal } from "../../../src/process/host-end/signals.js";

test("on Windows a signal's effect is an exit, as there is nothing to send to oneself", (t) => {
  const exit = t.mock.method(process, "exit", () => undefined as never);
  const kill = t.mock.method(process, "kill", () => true);
  const cleanUp = t.mock.fn();
  const before = process.listenerCount("SIGHUP");
  const stop = onEndingSignal(cleanUp, "win32");
  try {
    process.emit("SIGHUP", "SIGHUP");
    assert.equal(cleanUp.mock.callCount(), 1);
    assert.deepEqual(exit.mock.calls[0]?.arguments, [0xc000013a]);
    assert.equal(process.listenerCount("SIGHUP"), before);
  } finally {
    stop();
  }
  assert.equal(kill.mock.callCount(), 1, "the test's own double of exit comes back");
});

test("on Windows a plugin that may outlive its host is detached, as children end with their parent there", () => {
  const detached = (platform: NodeJS.Platform) =>
    [{}, { killWithHost: true }, { killWithHost: false }].map((options) => needsDetaching(options, platform));
  assert.deepEqual(detached("win32"), [false, false, true]);
  assert.deepEqual(detached("linux"), [false, false, false]);
});
