// PINGs and their answers.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Http2Error } from "../../../src/http2/index.js";
import { Pings } from "../../../src/http2/pings.js";

function start() {
  const sent: Buffer[] = [];
  return { pings: new Pings((payload) => sent.push(payload)), sent };
}

test("each answer belongs to one ping, in whatever order they come", () => {
  const { pings, sent } = start();
  const answered: string[] = [];
  pings.ping(() => answered.push("first"));
  pings.ping(() => answered.push("second"));
  assert.notDeepEqual(sent[0], sent[1]);
  pings.pong(sent[1]!);
  pings.pong(sent[0]!);
  assert.deepEqual(answered, ["second", "first"]);
});

test("an answer that comes twice, or to nothing, is ignored", () => {
  const { pings, sent } = start();
  let answers = 0;
  pings.ping(() => answers++);
  pings.pong(Buffer.alloc(8, 0xff));
  assert.equal(answers, 0);
  pings.pong(sent[0]!);
  pings.pong(sent[0]!);
  assert.equal(answers, 1);
});

test("a round trip is timed, and rejects when the connection ends before", async () => {
  const { pings, sent } = start();
  const answered = pings.roundTrip();
  const cut = pings.roundTrip();
  pings.pong(sent[0]!);
  assert.ok((await answered) >= 0);
  const error = new Http2Error("ERR_HTTP2_CLOSED", 0, "over");
  pings.end(error);
  await assert.rejects(cut, error);
});
