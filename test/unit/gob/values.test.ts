import assert from "node:assert/strict";
import { test } from "node:test";
import * as gob from "../../../src/gob/index.js";

const round = <In, Out>(schema: gob.Schema<In, Out>, value: NoInfer<In>): Out =>
  gob.decode(schema as gob.Schema<never, Out>, gob.encode(schema as gob.Schema<unknown, Out>, value)) as Out;

test("what JavaScript cannot hold exactly is refused, not rounded", () => {
  const range = { code: "ERR_GOB_RANGE" };
  assert.throws(() => gob.encode(gob.int, 2 ** 53), range);
  assert.throws(() => gob.encode(gob.int64, 2n ** 63n), range);
  assert.throws(() => gob.encode(gob.uint64, -1n), range);
  assert.throws(() => gob.encode(gob.uint8, 256), range);
  assert.throws(() => gob.encode(gob.float32, 1e39), range);
  assert.throws(() => gob.encode(gob.int, 1.5), { code: "ERR_GOB_VALUE" });
  assert.throws(() => gob.encode(gob.int, Number.NaN), { code: "ERR_GOB_VALUE" });
  const beyond = gob.encode(gob.slice(gob.int64), [1n, 2n ** 53n]);
  assert.throws(() => gob.decode(gob.slice(gob.int), beyond), { ...range, path: "[]int[1]" });
  assert.deepEqual(gob.decode(gob.slice(gob.int64), beyond), [1n, 2n ** 53n]);
});

test("errors say where: path and byte offset", () => {
  const order = gob.struct(
    { Items: gob.slice(gob.struct({ Price: gob.int64 })), By: gob.map(gob.string, gob.string) },
    { name: "example.com/shop.Order" },
  );
  const narrow = gob.struct(
    { Items: gob.slice(gob.struct({ Price: gob.int8 })) },
    { name: "example.com/shop.Order" },
  );
  const stream = gob.encode(order, { Items: [{ Price: 1 }, { Price: 2 }, {}, { Price: 300 }] });
  assert.throws(
    () => gob.decode(narrow, stream),
    (error: gob.GobError) =>
      error.path === "shop.Order.Items[3].Price" &&
      error.goText === 'value for "Price" out of range' &&
      error.offset! > 0 &&
      error.message.startsWith(
        'value for "Price" out of range: the stream has 300, int8 holds -128 to 127 (at shop.Order.Items[3].Price, byte ',
      ),
  );
  assert.throws(() => gob.encode(order, { By: { k: 5 as never } }), { path: 'shop.Order.By["k"]' });
});

test("a mismatch says what the stream has and what the schema wants", () => {
  const from = gob.struct({ A: gob.slice(gob.int) }, { name: "x.From" });
  const message = (to: gob.AnySchema): string => {
    try {
      gob.decode(to, gob.encode(from, { A: [1] }));
    } catch (error) {
      return (error as Error).message.replace(/ \(.*/, "");
    }
    return "no error";
  };
  assert.match(message(gob.struct({ A: gob.string }, { name: "x.To" })), /^gob: wrong type/);
  assert.throws(() => gob.decode(gob.struct({ A: gob.string }), gob.encode(from, { A: [1] })), {
    goText: "gob: wrong type (string) for received field From.A",
    message: /: the stream has \[\]int \(at struct \{ A string \}\.A, byte \d+\)$/,
  });
  assert.equal(
    message(gob.struct({ B: gob.string }, { name: "x.To" })),
    "gob: type mismatch: no fields matched compiling decoder for To: the stream has A; the schema has B",
  );
});

test("text that is not Unicode is refused or kept, never changed", () => {
  const raw = Buffer.from([0x61, 0xff, 0xc3, 0xa9, 0xed, 0xa0, 0x80, 0xc3]);
  const stream = gob.encode(gob.rawString, raw);
  assert.throws(() => gob.decode(gob.string, stream), { code: "ERR_GOB_UTF8" });
  const text = gob.decode(gob.string, stream, { invalidUtf8: "escape" });
  assert.equal(text, "a\udcff\u00e9\udced\udca0\udc80\udcc3");
  assert.deepEqual(gob.encode(gob.string, text, { invalidUtf8: "escape" }), stream);
  assert.throws(() => gob.encode(gob.string, text), { code: "ERR_GOB_UTF8" });
  assert.throws(() => gob.encode(gob.string, "\ud800", { invalidUtf8: "escape" }), { code: "ERR_GOB_UTF8" });
  assert.deepEqual(gob.decode(gob.rawString, stream), raw);
  // Or replaced, where that was asked for: by the stream, or by the schema.
  const replaced = "a\ufffd\u00e9\ufffd\ufffd\ufffd\ufffd";
  assert.equal(gob.decode(gob.string, stream, { invalidUtf8: "replace" }), replaced);
  for (const policy of ["refuse", "escape"] as const) {
    const texts = gob.struct({ Error: gob.lenientString, Other: gob.string });
    const both = gob.encode(gob.struct({ Error: gob.rawString }), { Error: raw });
    assert.deepEqual(gob.decode(texts, both, { invalidUtf8: policy }), { Error: replaced, Other: "" });
    const sent = gob.encode(texts, { Error: "x\udc80y".repeat(2000), Other: "" }, { invalidUtf8: policy });
    assert.equal(gob.decode(texts, sent).Error, "x\ufffdy".repeat(2000));
    assert.equal(gob.decode(gob.lenientString, gob.encode(gob.lenientString, "x\udfffy")), "x\ufffdy");
  }
  assert.equal(
    gob.decode(gob.string, gob.encode(gob.string, "\ud800", { invalidUtf8: "replace" })),
    "\ufffd",
  );
  for (const fine of [
    "\ufeffbom",
    "\ufffd",
    "",
    "é".repeat(63),
    "é".repeat(5000),
    "x".repeat(127),
    "x".repeat(128),
  ])
    assert.equal(round(gob.string, fine), fine);
});

test("every string length around the ways of reading and writing them", () => {
  const schema = gob.slice(gob.string);
  for (const unit of ["a", "é", "\u4e16", "\u{1f600}"]) {
    const all = Array.from({ length: 140 }, (_, n) => unit.repeat(n));
    all.push(...Array.from({ length: 40 }, (_, n) => `${"a".repeat(n)}${unit}`), unit.repeat(22_000));
    assert.deepEqual(round(schema, all), all);
  }
});

test("missing, null and empty", () => {
  const schema = gob.struct({
    N: gob.int,
    Big: gob.int64,
    S: gob.string,
    B: gob.bytes,
    L: gob.slice(gob.int),
    M: gob.map(gob.string, gob.int),
    Nil: gob.map(gob.string, gob.int, { nilable: true }),
    P: gob.pointer(gob.int),
    A: gob.any,
    T: gob.time,
    In: gob.struct({ X: gob.int }),
    Arr: gob.array(gob.int, 2),
  });
  const zero = {
    N: 0,
    Big: 0n,
    S: "",
    B: Buffer.alloc(0),
    L: [],
    M: new Map(),
    Nil: null,
    P: null,
    A: null,
    T: gob.GoTime.zero(),
    In: { X: 0 },
    Arr: [0, 0],
  };
  assert.deepEqual(round(schema, {}), zero);
  assert.deepEqual(round(schema, { B: null, L: null, M: null, Nil: null, P: null, A: null }), zero);
  assert.deepEqual(round(schema, { Nil: {} }).Nil, new Map());
  // A pointer to zero is not sent, as between Go programs.
  assert.equal(round(schema, { P: 0 }).P, null);
  assert.equal(round(schema, { P: 1 }).P, 1);
  for (const bad of [{ N: null }, { S: null }, { In: null }, { Arr: [1] }])
    assert.throws(() => gob.encode(schema, bad as never), { code: "ERR_GOB_VALUE" });
});

test("a bare number, array or object is no interface value", () => {
  for (const value of [5, 5n, [1], { a: 1 }, new Map(), new Date()])
    assert.throws(() => gob.encode(gob.any, value as never), {
      code: "ERR_GOB_VALUE",
      message: /give it one with value\(schema, v\)/,
    });
});

test("undefined is a field that is missing, and no element or entry", () => {
  const bad = { code: "ERR_GOB_VALUE" };
  for (const elem of [gob.any, gob.typedAny, gob.int, gob.bytes, gob.slice(gob.int)]) {
    assert.throws(() => gob.encode(gob.slice(elem as never), [undefined] as never), bad);
    assert.throws(() => gob.encode(gob.map(gob.string, elem as never), { a: undefined } as never), bad);
    assert.equal(gob.encode(gob.struct({ F: elem }), { F: undefined } as never).at(-1), 0);
  }
});

test("times keep nanoseconds and zone", () => {
  const at = new gob.GoTime(1_700_000_000n, 123_456_789, 3600);
  assert.deepEqual(round(gob.time, at), at);
  assert.equal(at.toDate().toISOString(), "2023-11-14T22:13:20.123Z");
  for (const offset of ["UTC", 0, -3600, 1234, -1, -121] as const)
    assert.deepEqual(round(gob.time, new gob.GoTime(1, 2, offset)), new gob.GoTime(1, 2, offset));
  for (const refused of [-60, -61])
    assert.throws(() => gob.encode(gob.time, new gob.GoTime(1, 2, refused)), { code: "ERR_GOB_MARSHALER" });
  assert.deepEqual(round(gob.time, new Date(-1)), new gob.GoTime(-1, 999_000_000));
  assert.throws(() => new gob.GoTime(1n << 60n).toDate(), RangeError);
  for (const [nanoseconds, offset] of [
    [-1, 0],
    [1e9, 0],
    [0.5, 0],
    [0, 0x7fff * 60 + 1],
    [0, -0x7fff * 60 - 1],
    [0, 1.5],
  ] as const)
    assert.throws(() => new gob.GoTime(0, nanoseconds, offset), RangeError);
  assert.ok(gob.GoTime.zero().isZero);
});

test("bytes that are handed out do not change with the chunk they came in", () => {
  const encoder = new gob.Encoder();
  const decoder = new gob.Decoder();
  encoder.encode(gob.slice(gob.bytes), [Buffer.alloc(10_000, 1), Buffer.alloc(10, 2)]);
  const chunk = Buffer.from(encoder.take());
  decoder.push(chunk, true);
  const [large, small] = decoder.decode(gob.slice(gob.bytes)) as Buffer[];
  decoder.settle();
  chunk.fill(0xee);
  assert.ok(large!.equals(Buffer.alloc(10_000, 1)));
  assert.ok(small!.equals(Buffer.alloc(10, 2)));
});

test("described values: the stream's own types, and names no object should trip over", () => {
  const stream = gob.encode(gob.struct({ A: gob.int64, T: gob.time }), { A: 2n ** 60n, T: new Date(0) });
  const hostile = Buffer.from(stream.toString("latin1").replace("\x01\x01A\x01", "\x01\x01_\x01"), "latin1");
  for (const bytes of [stream, hostile]) {
    const decoder = new gob.Decoder();
    decoder.push(bytes);
    const { type, value } = decoder.decodeAny() as gob.Described;
    assert.equal(type.kind, "struct");
    const { T, ...rest } = value as Record<string, unknown>;
    assert.deepEqual(Object.values(rest), [2n ** 60n]);
    assert.ok(T instanceof gob.Opaque);
    assert.equal(T.payload.length, 15);
  }
});

test("big numbers: what Go's own decoders take and refuse", () => {
  const payload = gob.struct({
    V: gob.custom<Buffer>({
      name: "x.Payload",
      marshaler: "gob",
      encode: (bytes) => bytes,
      decode: (bytes) => bytes,
      zero: () => Buffer.alloc(0),
    }),
  });
  const decode = <S extends gob.AnySchema>(schema: S, bytes: number[]): gob.Output<S> =>
    (
      gob.decode(gob.struct({ V: schema }), gob.encode(payload, { V: Buffer.from(bytes) })) as {
        V: gob.Output<S>;
      }
    ).V;
  const refused = { code: "ERR_GOB_MARSHALER" };
  assert.equal(decode(gob.bigInt, []), 0n);
  assert.equal(decode(gob.bigInt, [3, 5]), -5n);
  assert.throws(() => decode(gob.bigInt, [4, 5]), refused);
  assert.deepEqual(decode(gob.bigRat, []), { num: 0n, den: 1n });
  assert.deepEqual(decode(gob.bigRat, [2, 0, 0, 0, 1, 5]), { num: 5n, den: 1n });
  for (const den of [0n, -1n]) assert.throws(() => gob.encode(gob.bigRat, { num: 1n, den }), refused);
});

test("numbers of every width come out alike in short lists and in long ones, wherever the message ends", () => {
  const ints = [0, 1, -1, 63, -64, 64, 127, -128, 128, 255, 32_767, -32_768, 32_768, 8_388_607, -8_388_608];
  const wide = [
    8_388_608,
    2 ** 31 - 1,
    -(2 ** 31),
    2 ** 32,
    Number.MAX_SAFE_INTEGER,
    -Number.MAX_SAFE_INTEGER,
  ];
  const all = [...ints, ...wide];
  for (const length of [1, 2, 15, 16, 17, 64])
    for (let first = 0; first < all.length; first++) {
      const numbers = Array.from({ length }, (_, i) => all[(first + i) % all.length]!);
      const signed = gob.encode(gob.slice(gob.int), numbers);
      assert.deepEqual(gob.decode(gob.slice(gob.int), signed), numbers);
      assert.deepEqual(
        gob.decode(gob.slice(gob.float64), gob.encode(gob.slice(gob.float64), numbers)),
        numbers,
      );
      const unsigned = numbers.map(Math.abs);
      assert.deepEqual(gob.decode(gob.slice(gob.uint), gob.encode(gob.slice(gob.uint), unsigned)), unsigned);
      const cut = Buffer.from(signed.subarray(0, -1));
      assert.throws(() => gob.decode(gob.slice(gob.int), cut), { code: "ERR_GOB_UNEXPECTED_EOF" });
    }
  const small = Array.from({ length: 40 }, (_, i) => (i === 39 ? 40_000 : i));
  const wider = gob.encode(gob.slice(gob.int32), small);
  const narrow = gob.slice(gob.int16);
  assert.throws(() => gob.decode(narrow, wider), { code: "ERR_GOB_RANGE", path: "[]int16[39]" });
});
