// The sending half of a server's connection.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as gob from "../../../src/gob/index.js";
import { AnswerWriter } from "../../../src/netrpc/answer-writer.js";
import { ReadGate } from "../../../src/netrpc/read-gate.js";
import { ScriptedChannel, settle } from "./scripted-channel.js";
import { readAnswers } from "./support.js";

const call = (seq: number, cost = 300) => ({ serviceMethod: "T.Wait", seq, cost });

function start(channel = new ScriptedChannel()) {
  const logged: string[] = [];
  const gate = new ReadGate(1_000_000, { pause() {}, readOn() {}, resume() {}, full() {} });
  let turns = 0;
  const logger = { warn: (message: string) => logged.push(message) };
  const writer = new AnswerWriter(channel, {}, gate, logger, { onWritten: () => turns++ });
  return { writer, channel, gate, logged, turns: () => turns };
}

test("the answers of one turn are one write, and are told once", async () => {
  const { writer, channel, gate, turns } = start();
  for (let seq = 0; seq < 3; seq++) {
    gate.begin(300);
    writer.answer(call(seq), gob.int, seq * 10);
  }
  assert.equal(channel.writes.length, 0);
  assert.equal(gate.calls, 0);
  await settle();
  assert.equal(channel.writes.length, 1);
  assert.equal(turns(), 1);
  assert.deepEqual(
    readAnswers(channel.written).map(({ reply }) => reply),
    [0, 10, 20],
  );
});

test("much is not kept for the end of the turn", async () => {
  const { writer, channel } = start();
  const large = { serviceMethod: "T.Echo", seq: 0, cost: 300 };
  writer.answer(large, gob.bytes, Buffer.alloc(70_000));
  assert.equal(channel.writes.length, 1);
  await settle();
  assert.equal(channel.writes.length, 1);
});

test("a reply that does not fit its schema is answered with the reason, and leaves nothing of itself", async () => {
  const { writer, channel, logged, gate } = start();
  gate.begin(300);
  writer.answer(call(0), gob.int, "no number");
  writer.answer(call(1), gob.int, 5);
  await settle();
  const [bad, good] = readAnswers(channel.written);
  assert.match(bad!.error, /^gob: /);
  assert.deepEqual(good, { seq: 1, error: "", reply: 5 });
  assert.deepEqual(logged, ["rpc: reply does not fit its schema"]);
});

test("a channel that takes nothing any more is destroyed, and counts as one that is waited for", async () => {
  class Broken extends ScriptedChannel {
    override write(): boolean {
      throw new Error("gone");
    }
    override destroy(): void {
      this.closed = true;
    }
  }
  const { writer, channel, gate } = start(new Broken());
  writer.answer(call(0), gob.int, 1);
  await settle();
  assert.equal(channel.closed, true);
  assert.equal(gate.isCongested, true);
});

test("nothing is written once it is stopped", async () => {
  const { writer, channel } = start();
  writer.answer(call(0), gob.int, 1);
  writer.stop();
  writer.answer(call(1), gob.int, 2);
  await settle();
  assert.equal(channel.writes.length, 0);
});
