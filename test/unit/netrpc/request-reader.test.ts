// The receiving half of a server's connection, by bytes alone.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as gob from "../../../src/gob/index.js";
import { CANCEL_METHOD, cancelArg } from "../../../src/netrpc/cancel.js";
import { request } from "../../../src/netrpc/messages.js";
import { RequestReader } from "../../../src/netrpc/request-reader.js";

const echo = { arg: gob.string, reply: gob.string, handle: (arg: unknown) => arg };

function start() {
  const events: string[] = [];
  const costs: number[] = [];
  const find = (name: string) => (name === "T.Echo" ? echo : `rpc: can't find method ${name}`);
  const reader = new RequestReader({}, find, {
    onCall: (call, method, arg) => {
      assert.equal(method, echo);
      costs.push(call.cost);
      events.push(`${call.seq}: ${arg}`);
    },
    onBadCall: (call, error) => {
      costs.push(call.cost);
      events.push(`${call.seq}: ! ${error}`);
    },
    onCancel: (call, seq) => events.push(`${call.seq}: cancel ${seq}`),
    onFailed: () => events.push("failed"),
  });
  const encoder = new gob.Encoder();
  const call = (ServiceMethod: string, Seq: number, schema: gob.AnySchema, arg: unknown): Buffer => {
    encoder.encode(request, { ServiceMethod, Seq });
    encoder.encode(schema, arg as never);
    return Buffer.from(encoder.take());
  };
  const feed = (bytes: Buffer): void => {
    reader.push(bytes, true);
    while (reader.readOne());
    reader.settle();
  };
  return { reader, events, costs, call, feed };
}

test("calls, unknown methods and cancels, however their bytes are cut", () => {
  for (const size of [1, 2, 3, 7, 1000]) {
    const { reader, events, call, feed } = start();
    const bytes = Buffer.concat([
      call("T.Echo", 0, gob.string, "a"),
      call("T.None", 1, gob.string, "b"),
      call(CANCEL_METHOD, 2, cancelArg, 7),
      call("T.Echo", 3, gob.int, 5),
      call("T.Echo", 4, gob.string, "c"),
    ]);
    for (let at = 0; at < bytes.length; at += size) feed(bytes.subarray(at, at + size));
    assert.equal(reader.isAmidCall, false);
    assert.match(events.splice(3, 1)[0]!, /^3: ! gob: /);
    assert.deepEqual(events, ["0: a", "1: ! rpc: can't find method T.None", "2: cancel 7", "4: c"]);
  }
});

test("a call costs its own bytes and something for itself, not those before it", () => {
  const { costs, call, feed } = start();
  feed(call("T.Echo", 0, gob.string, ""));
  const first = call("T.Echo", 1, gob.string, "x".repeat(1000));
  const second = call("T.Echo", 2, gob.string, "y");
  feed(Buffer.concat([first, second]));
  assert.deepEqual(costs.slice(1), [256 + first.length, 256 + second.length]);
});

test("a peer that ends amid an argument is answered; amid a header there is nothing to answer", () => {
  const { reader, events, call, feed } = start();
  feed(call("T.Echo", 0, gob.string, "whole"));
  reader.end();
  assert.deepEqual(events.splice(0), ["0: whole"]);
  feed(call("T.Echo", 1, gob.string, "cut off").subarray(0, -1));
  assert.equal(reader.isAmidCall, true);
  reader.end();
  assert.deepEqual(events, ["1: ! unexpected EOF"]);
  assert.equal(reader.isAmidCall, false);
});

test("bytes that are no header end the reading", () => {
  const { events, feed } = start();
  feed(Buffer.from([0x03, 0x04, 0x00, 0x05]));
  assert.deepEqual(events, ["failed"]);
});
