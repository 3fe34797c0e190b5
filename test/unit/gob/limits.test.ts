import assert from "node:assert/strict";
import { test } from "node:test";
import * as gob from "../../../src/gob/index.js";

const limit = { code: "ERR_GOB_LIMIT" };

test("a message over the limit is refused by its length, and the stream is broken for good", () => {
  const decoder = new gob.Decoder({ limits: { message: 100 } });
  decoder.push(gob.encode(gob.string, "x".repeat(200)).subarray(0, 3));
  assert.throws(() => decoder.decode(gob.string), {
    goText: "invalid message length",
    message: /^invalid message length: 204 bytes are announced, 100 are the limit/,
  });
  decoder.push(gob.encode(gob.int, 1));
  assert.throws(() => decoder.decode(gob.int), { goText: "invalid message length" });
});

test("an encoder's message limit", () => {
  const encoder = new gob.Encoder({ maxMessage: 100 });
  assert.throws(() => encoder.encode(gob.string, "x".repeat(200)), {
    ...limit,
    message: "gob: encoder: message too big: 204 bytes, maxMessage is 100",
  });
  assert.equal(encoder.pending, 0);
});

test("a map has no keys that Go could not compare", () => {
  for (const key of [gob.bytes, gob.slice(gob.int), gob.map(gob.int, gob.int)])
    assert.throws(() => gob.map(key, gob.int), { code: "ERR_GOB_SCHEMA", message: /a map's key/ });
  assert.equal(
    gob.decode(
      gob.map(gob.array(gob.int, 1), gob.int),
      gob.encode(gob.map(gob.array(gob.int, 1), gob.int), new Map([[[1], 2]])),
    ).size,
    1,
  );
});

test("an array of another length is said to be such a one", () => {
  assert.throws(() => gob.encode(gob.array(gob.int, 3), [1, 2]), {
    message: "gob: [3]int needs an array of 3 elements, not one of 2",
  });
});

test("a gigabyte that is announced costs nothing until it arrives", () => {
  const before = process.memoryUsage().arrayBuffers;
  const decoder = new gob.Decoder();
  decoder.push(Buffer.from("fc3fffffff0a00", "hex"));
  assert.equal(decoder.decode(gob.bytes), gob.NEED_MORE);
  decoder.push(Buffer.alloc(1000));
  assert.equal(decoder.decode(gob.bytes), gob.NEED_MORE);
  assert.ok(process.memoryUsage().arrayBuffers - before < 1 << 20);
});

test("a long value in many borrowed chunks is asked for in vain at no cost", () => {
  const value = Buffer.alloc(16 << 20, 7);
  const stream = gob.encode(gob.bytes, value);
  const decoder = new gob.Decoder();
  const chunk = Buffer.alloc(64 << 10);
  for (let at = 0; at < stream.length; at += chunk.length) {
    const n = stream.copy(chunk, 0, at, at + chunk.length);
    decoder.push(chunk.subarray(0, n), true);
    const decoded = decoder.decode(gob.bytes);
    decoder.settle();
    chunk.fill(0xee);
    if (at + n < stream.length) assert.equal(decoded, gob.NEED_MORE);
    else assert.ok(value.equals(decoded as Buffer));
  }
});

test("few bytes cannot make a value of any size", () => {
  const fields = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`F${i}`, gob.int]));
  const wide = gob.slice(gob.struct(fields));
  // An element without fields is one byte on the wire and an object of a hundred fields here.
  const stream = gob.encode(
    wide,
    Array.from({ length: 100_000 }, () => ({})),
  );
  assert.throws(() => gob.decode(wide, stream, { limits: { allocation: 1 << 20 } }), limit);
  assert.equal(gob.decode(wide, stream, { limits: { allocation: 1 << 30 } }).length, 100_000);
});

test("nesting", () => {
  interface List {
    Next: List | null;
  }
  const list: gob.Schema<List, List> = gob.lazy(() => gob.struct({ Next: gob.pointer(list) }));
  const deep = (n: number): List => {
    let value: List = { Next: null };
    for (let i = 1; i < n; i++) value = { Next: value };
    return value;
  };
  assert.ok(gob.decode(list, gob.encode(list, deep(2000))));
  assert.throws(() => gob.encode(list, deep(3000)), limit);
  const stream = gob.encode(list, deep(500));
  assert.throws(() => gob.decode(list, stream, { limits: { depth: 400 } }), limit);
  const cycle: List = { Next: null };
  cycle.Next = cycle;
  assert.throws(() => gob.encode(list, cycle), limit);
  // Far beyond what the stack holds, with the limit out of the way.
  assert.throws(() => gob.encode(list, deep(200_000), { maxDepth: 1e9 }), limit);
});

test("type definitions of one stream", () => {
  const encoder = new gob.Encoder();
  const decoder = new gob.Decoder({ limits: { types: 5 } });
  for (let i = 0; i < 6; i++) encoder.encode(gob.struct({ [`F${i}`]: gob.int }), {});
  decoder.push(encoder.take());
  for (let i = 0; i < 5; i++) assert.equal(decoder.skip(), true);
  assert.throws(() => decoder.skip(), { code: "ERR_GOB_CORRUPT" });
});

test("a value in ever more messages is stopped before it costs too much", () => {
  const registry = new gob.Registry();
  const types = Array.from({ length: 3000 }, (_, i) =>
    gob.struct({ [`F${i}`]: gob.string }, { name: `x.T${i}` }),
  );
  for (const type of types) registry.register(type);
  const schema = gob.slice(gob.any);
  const stream = gob.encode(
    schema,
    types.map((type, i) => gob.value(type, { [`F${i}`]: "x".repeat(1000) })),
    { registry },
  );
  const decoder = new gob.Decoder({ registry });
  // Each chunk brings the value one message further.
  assert.throws(() => {
    for (let at = 0; at < stream.length; at += 1100) {
      decoder.push(stream.subarray(at, at + 1100));
      decoder.decode(schema);
    }
  }, limit);
  assert.throws(() => decoder.decode(schema), limit);
  assert.equal(gob.decode(schema, stream, { registry }).length, 3000);
});

test("what is decoded a second time to find out what is wrong is not held against the stream twice", () => {
  const registry = new gob.Registry();
  const point = gob.struct({ X: gob.int }, { name: "main.Point" });
  registry.register(point);
  const sent = gob.struct({ Texts: gob.slice(gob.string), Any: gob.any, N: gob.int });
  const wanted = gob.struct({ Texts: gob.slice(gob.string), Any: gob.any, N: gob.int8 });
  const range = { code: "ERR_GOB_RANGE", path: /\.N$/ };
  // The interface's type is defined in the value that fails, and its texts take most of what one value may take.
  const stream = gob.encode(
    sent,
    { Texts: new Array(30_000).fill(""), Any: gob.value(point, { X: 1 }), N: 1000 },
    { registry },
  );
  const decoder = new gob.Decoder({ registry, limits: { allocation: 1_300_000 - 256 * stream.length } });
  decoder.push(stream);
  assert.throws(() => decoder.decode(wanted), range);
});

test("what comes in a value's later messages pays for itself, too", () => {
  const registry = new gob.Registry();
  const point = gob.struct({ X: gob.int }, { name: "main.Point" });
  registry.register(point);
  const schema = gob.struct({ Any: gob.any, Texts: gob.slice(gob.string) });
  // The definition of the interface's type ends the first message.
  const value = { Any: gob.value(point, { X: 1 }), Texts: new Array<string>(5000).fill("") };
  const stream = gob.encode(schema, value, { registry });
  assert.equal(gob.decode(schema, stream, { registry, limits: { allocation: 0 } }).Texts.length, 5000);
});
