import assert from "node:assert/strict";
import { test } from "node:test";
import * as gob from "../../../src/gob/index.js";

const request = gob.struct({ ServiceMethod: gob.string, Seq: gob.uint64 }, { name: "net/rpc.Request" });
const response = gob.struct(
  { ServiceMethod: gob.string, Seq: gob.uint64, Error: gob.string },
  { name: "net/rpc.Response" },
);
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

test("a nil interface is 03100000, as net/rpc sends for new(interface{})", () => {
  assert.equal(hex(gob.encode(gob.any, null)), "03100000");
  assert.equal(gob.decode(gob.any, Buffer.from("03100000", "hex")), null);
});

test("the empty struct of net/rpc's error answers has the definition that Go sends", () => {
  assert.equal(hex(gob.encode(gob.emptyStruct, {})), "0aff81030102ff8200000003ff8200");
});

test("types are defined once for a stream, and header and body share it", () => {
  const encoder = new gob.Encoder();
  const decoder = new gob.Decoder();
  for (let seq = 0; seq < 3; seq++) {
    encoder.encode(request, { ServiceMethod: "Plugin.Greet", Seq: BigInt(seq) });
    encoder.encode(gob.any, null);
    const bytes = encoder.take();
    if (seq > 0) assert.ok(bytes.length < 30, `definitions were sent again: ${bytes.length} bytes`);
    decoder.push(bytes);
    assert.deepEqual(decoder.decode(request), { ServiceMethod: "Plugin.Greet", Seq: BigInt(seq) });
    assert.equal(decoder.decode(gob.any), null);
    assert.equal(decoder.decode(gob.any), gob.NEED_MORE);
  }
});

test("what cannot be encoded leaves bytes and types as they were", () => {
  const encoder = new gob.Encoder();
  encoder.encode(request, { ServiceMethod: "A.B", Seq: 1n });
  const before = encoder.pending;
  const bad = gob.struct(
    { Name: gob.string, Deep: gob.slice(gob.struct({ N: gob.int8 })) },
    { name: "x.Bad" },
  );
  assert.throws(
    () => encoder.encode(bad, { Name: "n", Deep: [{ N: 1 }, { N: 300 }] }),
    (error: gob.GobError) => error.code === "ERR_GOB_RANGE" && error.path === "x.Bad.Deep[1].N",
  );
  assert.equal(encoder.pending, before);
  encoder.encode(bad, { Name: "n", Deep: [{ N: 1 }] });
  const decoder = new gob.Decoder();
  decoder.push(encoder.take());
  assert.deepEqual(decoder.decode(request), { ServiceMethod: "A.B", Seq: 1n });
  assert.deepEqual(decoder.decode(bad), { Name: "n", Deep: [{ N: 1 }] });
});

test("rollback drops a header whose body failed, with the definitions", () => {
  const encoder = new gob.Encoder();
  const mark = encoder.checkpoint();
  encoder.encode(response, { ServiceMethod: "A.B", Seq: 1n });
  encoder.rollback(mark);
  assert.equal(encoder.pending, 0);
  encoder.encode(response, { ServiceMethod: "A.B", Seq: 1n, Error: "boom" });
  assert.deepEqual(gob.decode(response, encoder.take()), { ServiceMethod: "A.B", Seq: 1n, Error: "boom" });
  assert.throws(() => encoder.rollback(mark), { code: "ERR_GOB_USAGE" });
});

test("a discarded body's types are remembered", () => {
  const encoder = new gob.Encoder();
  const decoder = new gob.Decoder();
  const point = gob.struct({ X: gob.int, Y: gob.int });
  encoder.encode(point, { X: 1, Y: 2 });
  decoder.push(encoder.take());
  assert.equal(decoder.skip(), true);
  encoder.encode(point, { X: 3 });
  decoder.push(encoder.take());
  assert.deepEqual(decoder.decode(point), { X: 3, Y: 0 });
});

test("a value of the wrong type fails with Go's text, and the next one decodes", () => {
  const encoder = new gob.Encoder();
  encoder.encode(gob.string, "x");
  encoder.encode(gob.emptyStruct, {});
  encoder.encode(gob.int, 7);
  const decoder = new gob.Decoder();
  decoder.push(encoder.take());
  const expected =
    "gob: local interface type *interface {} can only be decoded from remote interface type; received concrete type ";
  assert.throws(
    () => decoder.decode(gob.any),
    (error: gob.GobError) => error.goText === `${expected}string` && error.code === "ERR_GOB_MISMATCH",
  );
  assert.throws(() => decoder.decode(gob.any), { goText: `${expected} = struct { }` });
  assert.equal(decoder.decode(gob.int), 7);
});

test("interface values keep what they are, and typedAny their Go type", () => {
  const schema = gob.map(gob.string, gob.any);
  const sent = { key: "k", value: Buffer.from("v"), yes: true, none: null, five: gob.value(gob.int, 5) };
  const bytes = gob.encode(schema, sent);
  const plain = gob.decode(schema, bytes);
  assert.deepEqual(
    plain,
    new Map<string, unknown>([
      ["key", "k"],
      ["value", Buffer.from("v")],
      ["yes", true],
      ["none", null],
      ["five", 5],
    ]),
  );
  const typed = gob.decode(gob.map(gob.string, gob.typedAny), bytes);
  assert.equal(typed.get("five")?.name, "int");
  assert.deepEqual(gob.encode(gob.map(gob.string, gob.typedAny), typed), bytes);
});

test("registered structs travel in interfaces, their definitions in the middle of the value", () => {
  const registry = new gob.Registry();
  const point = gob.struct({ X: gob.int, Y: gob.int }, { name: "example.com/geo.Point" });
  registry.register(point);
  const outer = gob.struct({ Name: gob.string, V: gob.any, N: gob.int });
  const bytes = gob.encode(outer, { Name: "n", V: gob.value(point, { X: 1, Y: 2 }), N: 3 }, { registry });
  const expected = { Name: "n", V: { X: 1, Y: 2 }, N: 3 };
  assert.deepEqual(gob.decode(outer, bytes, { registry }), expected);
  const decoder = new gob.Decoder({ registry });
  for (let i = 0; i < bytes.length; i++) {
    assert.equal(decoder.decode(outer), gob.NEED_MORE);
    decoder.push(bytes.subarray(i, i + 1), true);
    if (i < bytes.length - 1) assert.equal(decoder.decode(outer), gob.NEED_MORE);
    else assert.deepEqual(decoder.decode(outer), expected);
    decoder.settle();
  }
  assert.throws(() => gob.decode(outer, bytes), { code: "ERR_GOB_UNREGISTERED" });
});

test("the end of input is EOF between values and unexpected EOF inside one", () => {
  const bytes = gob.encode(request, { ServiceMethod: "A.B", Seq: 1n });
  for (let cut = 0; cut <= bytes.length; cut++) {
    const decoder = new gob.Decoder();
    decoder.push(bytes.subarray(0, cut));
    decoder.end();
    if (cut === bytes.length) assert.ok(decoder.decode(request));
    const code = cut === 0 || cut === bytes.length ? "ERR_GOB_EOF" : "ERR_GOB_UNEXPECTED_EOF";
    assert.throws(() => decoder.decode(request), { code }, `cut at ${cut}`);
  }
});

test("what was taken is never written again", () => {
  const encoder = new gob.Encoder();
  const taken: Buffer[] = [];
  for (let i = 0; i < 2000; i++) {
    encoder.encode(gob.string, `value ${i}`);
    taken.push(encoder.take());
  }
  for (const [i, bytes] of taken.entries()) assert.equal(gob.decode(gob.string, bytes), `value ${i}`);
});

test("a borrowed chunk may be overwritten after settle", () => {
  const decoder = new gob.Decoder();
  const chunk = Buffer.concat([gob.encode(gob.bytes, Buffer.from("kept")), gob.encode(gob.string, "rest")]);
  const split = chunk.length - 3;
  const first = Buffer.from(chunk.subarray(0, split));
  decoder.push(first, true);
  const kept = decoder.decode(gob.bytes);
  assert.equal(decoder.decode(gob.string), gob.NEED_MORE);
  decoder.settle();
  first.fill(0xee);
  decoder.push(chunk.subarray(split));
  assert.deepEqual(kept, Buffer.from("kept"));
  assert.equal(decoder.decode(gob.string), "rest");
});
