// When a peer is not read from.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ReadPauses } from "../../../src/http2/read-pauses.js";

const MIB = 1024 * 1024;
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function start() {
  const calls: string[] = [];
  const writer = { pending: 0, congested: false };
  const connection = { pause: () => calls.push("pause"), resume: () => calls.push("resume") };
  return { pauses: new ReadPauses(connection as never, writer), writer, calls };
}

test("a peer that does not read its answers is not read from until it does", async () => {
  const { pauses, writer, calls } = start();
  writer.pending = 32 * MIB - 1;
  writer.congested = true;
  pauses.took(10, 1);
  assert.deepEqual(calls, []);
  writer.pending++;
  pauses.took(10, 1);
  pauses.took(10, 1);
  assert.deepEqual(calls, ["pause"]);
  await nextTurn();
  assert.deepEqual(calls, ["pause"]);
  writer.pending = 0;
  pauses.relieved();
  pauses.relieved();
  assert.deepEqual(calls, ["pause", "resume"]);
});

test("one that sends without end waits for the next turn of the event loop", async () => {
  const { pauses, calls } = start();
  for (let i = 0; i < 4; i++) pauses.took(MIB - 1024, 1);
  assert.deepEqual(calls, ["pause"]);
  pauses.took(MIB, 1);
  assert.deepEqual(calls, ["pause"]);
  await nextTurn();
  assert.deepEqual(calls, ["pause", "resume"]);
});

test("small frames count for more than their bytes", () => {
  const { pauses, calls } = start();
  pauses.took(9 * 4095, 4095);
  assert.deepEqual(calls, ["pause"]);
});

test("both reasons at once: reading goes on when neither holds", async () => {
  const { pauses, writer, calls } = start();
  Object.assign(writer, { pending: 32 * MIB, congested: true });
  pauses.took(4 * MIB, 1);
  assert.deepEqual(calls, ["pause", "pause"]);
  pauses.relieved();
  assert.deepEqual(calls, ["pause", "pause"]);
  await nextTurn();
  assert.deepEqual(calls, ["pause", "pause", "resume"]);

  pauses.took(4 * MIB, 1);
  await nextTurn();
  assert.deepEqual(calls.slice(3), ["pause", "pause"]);
  pauses.end();
  assert.deepEqual(calls.slice(5), ["resume"]);
});
