import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { beginHandshake } from "../../../src/tls/pace.js";

test("many handshakes begin over several turns of the event loop, in order, and a few at once", async () => {
  const begun: number[] = [];
  for (let n = 0; n < 10; n++) beginHandshake(() => begun.push(n));
  assert.deepEqual(begun, [0, 1, 2, 3]);
  // Behind those that wait.
  beginHandshake(() => begun.push(10));
  await turn();
  assert.deepEqual(begun, [0, 1, 2, 3, 4, 5, 6, 7]);
  await turn();
  assert.deepEqual(begun, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  await turn();
  beginHandshake(() => begun.push(11));
  assert.equal(begun.length, 12);
});
