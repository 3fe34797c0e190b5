// Go's codec_test.go, test by test under its names. TestDebug* test debug.go, which has no counterpart here.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as gob from "../../../src/gob/index.js";
import { hex, pipe, unhex } from "./pipe.js";

/** The bytes of a lone value, behind the message length, type id and zero. */
function content(schema: gob.AnySchema, value: unknown): string {
  return hex(gob.encode(schema as gob.Schema<unknown, unknown>, value)).slice(6);
}

test("TestUintCodec", () => {
  const table: [bigint, string][] = [
    [0n, "00"],
    [0xfn, "0f"],
    [0xffn, "ffff"],
    [0xffffn, "feffff"],
    [0xffffffn, "fdffffff"],
    [0xffffffffn, "fcffffffff"],
    [0xffffffffffn, "fbffffffffff"],
    [0xffffffffffffn, "faffffffffffff"],
    [0xffffffffffffffn, "f9ffffffffffffff"],
    [0xffffffffffffffffn, "f8ffffffffffffffff"],
    [0x1111n, "fe1111"],
    [0x8888888888888888n, "f88888888888888888"],
  ];
  for (const [value, bytes] of table) assert.equal(content(gob.uint64, value), bytes);
  for (let u = 0n; u < 2n ** 63n; u = (u + 1n) * 7n) {
    assert.equal(pipe(gob.uint64, u, gob.uint64), u);
    if (u <= Number.MAX_SAFE_INTEGER) assert.equal(pipe(gob.uint, Number(u), gob.uint), Number(u));
  }
});

test("TestIntCodec", () => {
  for (let u = 1n; u < 2n ** 63n; u = u * 3n + 1n)
    for (const v of [u, -u, ~u, u - 1n]) {
      assert.equal(pipe(gob.int64, v, gob.int64), v);
      if (BigInt.asIntN(53, v) === v) {
        assert.equal(pipe(gob.int, Number(v), gob.int), Number(v));
        assert.equal(content(gob.int, Number(v)), content(gob.int64, v));
      }
    }
  assert.equal(content(gob.int64, -(2n ** 63n)), "f8ffffffffffffffff");
  assert.equal(pipe(gob.int64, -(2n ** 63n), gob.int64), -(2n ** 63n));
});

test("TestScalarEncInstructions and TestScalarDecInstructions", () => {
  // As the seventh field of a struct, so that every value has a delta of 7 in front of it.
  const fields = Object.fromEntries(["A", "B", "C", "D", "E", "F"].map((name) => [name, gob.bool]));
  const table: [gob.AnySchema, unknown, string][] = [
    [gob.bool, true, "0701"],
    [gob.int, 17, "0722"],
    [gob.uint, 17, "0711"],
    [gob.int8, 17, "0722"],
    [gob.uint8, 17, "0711"],
    [gob.int16, 17, "0722"],
    [gob.uint16, 17, "0711"],
    [gob.int32, 17, "0722"],
    [gob.uint32, 17, "0711"],
    [gob.int64, 17n, "0722"],
    [gob.uint64, 17n, "0711"],
    [gob.float32, 17, "07fe3140"],
    [gob.float64, 17, "07fe3140"],
    [gob.bytes, Buffer.from("hello"), "070568656c6c6f"],
    [gob.string, "hello", "070568656c6c6f"],
  ];
  for (const [schema, value, bytes] of table) {
    const struct = gob.struct({ ...fields, G: schema }) as gob.Schema<unknown, Record<string, unknown>>;
    const stream = gob.encode(struct, { G: value });
    assert.ok(hex(stream).endsWith(`${bytes}00`), `${hex(stream)} ends in ${bytes}00`);
    assert.deepEqual(gob.decode(struct, stream).G, value);
  }
});

test("TestEndToEnd", () => {
  const t3 = gob.struct({ X: gob.float64, Z: gob.pointer(gob.int) });
  const t1 = gob.struct({
    A: gob.int,
    B: gob.int,
    C: gob.int,
    M: gob.map(gob.string, gob.pointer(gob.float64)),
    M2: gob.map(gob.int, t3),
    Mstring: gob.map(gob.string, gob.string),
    Mintptr: gob.map(gob.int, gob.pointer(gob.int)),
    Mcomp: gob.map(gob.complex128, gob.complex128),
    Marr: gob.map(gob.array(gob.string, 2), gob.array(gob.pointer(gob.float64), 2)),
    EmptyMap: gob.map(gob.string, gob.int, { nilable: true }),
    N: gob.pointer(gob.array(gob.float64, 3)),
    Strs: gob.pointer(gob.array(gob.string, 2)),
    Int64s: gob.pointer(gob.slice(gob.int64)),
    RI: gob.complex64,
    S: gob.string,
    Y: gob.bytes,
    T: gob.pointer(gob.struct({ T: gob.string })),
  });
  const value: gob.Output<typeof t1> = {
    A: 17,
    B: 18,
    C: -5,
    M: new Map([
      ["pi", 3.14159],
      ["e", 2.71828],
    ]),
    M2: new Map([
      [4, { X: 3.14159, Z: 42 }],
      [10, { X: 2.71828, Z: 5 }],
    ]),
    Mstring: new Map([["pi", "3.14"]]),
    Mintptr: new Map([
      [42, 5],
      [5, 42],
    ]),
    Mcomp: new Map([
      [
        { re: 1, im: 1 },
        { re: 1, im: 1 },
      ],
    ]),
    Marr: new Map([
      [
        ["string1", "string2"],
        [3.14159, 2.71828],
      ],
    ]),
    EmptyMap: new Map(),
    N: [1.5, 2.5, 3.5],
    Strs: ["string1", "string2"],
    Int64s: [77n, 89n, 123412342134n],
    RI: { re: 17, im: -23 },
    S: "Now is the time",
    Y: Buffer.from("hello, sailor"),
    T: { T: "this is T2" },
  };
  assert.deepEqual(pipe(t1, value, t1), value);
});

test("TestOverflow", () => {
  const widths: [gob.AnySchema, gob.AnySchema, unknown[], unknown[]][] = [
    [gob.int64, gob.int8, [127n, -128n], [128n, -129n]],
    [gob.int64, gob.int16, [32767n, -32768n], [32768n, -32769n]],
    [gob.int64, gob.int32, [2n ** 31n - 1n, -(2n ** 31n)], [2n ** 31n, -(2n ** 31n) - 1n]],
    [gob.uint64, gob.uint8, [255n], [256n]],
    [gob.uint64, gob.uint16, [65535n], [65536n]],
    [gob.uint64, gob.uint32, [2n ** 32n - 1n], [2n ** 32n]],
    [gob.float64, gob.float32, [3.4028234663852886e38, Number.POSITIVE_INFINITY], [3.5e38, -1e300]],
    [
      gob.complex128,
      gob.complex64,
      [{ re: 1e38, im: 1e38 }],
      [
        { re: 1e40, im: 0 },
        { re: 0, im: 1e40 },
      ],
    ],
  ];
  for (const [wide, narrow, fits, overflows] of widths) {
    const from = gob.struct({ Mini: wide }) as gob.Schema<unknown, unknown>;
    const to = gob.struct({ Mini: narrow }) as gob.Schema<never, { Mini: unknown }>;
    for (const value of fits) assert.doesNotThrow(() => pipe(from, { Mini: value }, to));
    for (const value of overflows)
      assert.throws(() => pipe(from, { Mini: value }, to), {
        code: "ERR_GOB_RANGE",
        goText: 'value for "Mini" out of range',
      });
  }
});

test("TestNesting: a pointer to the type itself", () => {
  interface RT {
    A: string;
    Next: RT | null;
  }
  const rt: gob.Schema<Partial<RT>, RT> = gob.lazy(() =>
    gob.struct({ A: gob.string, Next: gob.pointer(rt) }),
  );
  const value = { A: "level1", Next: { A: "level2", Next: null } };
  assert.deepEqual(pipe(rt, value, rt), value);
});

test("TestAutoIndirection", () => {
  const p = gob.pointer;
  const t1 = gob.struct({ A: gob.int, B: p(gob.int), C: p(p(gob.int)), D: p(p(p(gob.int))) });
  const t2 = gob.struct({ D: gob.int, C: p(gob.int), B: p(p(gob.int)), A: p(p(p(gob.int))) });
  const value = { A: 17, B: 177, C: 1777, D: 17777 };
  assert.deepEqual(pipe(t1, value, t2), value);
  assert.deepEqual(pipe(t2, value, t1), value);
  const t0 = gob.struct({ A: gob.int, B: gob.int, C: gob.int, D: gob.int });
  assert.deepEqual(pipe(t0, value, t1), value);
  assert.deepEqual(pipe(t1, value, t0), value);
});

test("TestReorderedFields", () => {
  const from = gob.struct({ A: gob.string, B: gob.float64, C: gob.int });
  const to = gob.struct({ C: gob.int, B: gob.float64, A: gob.string });
  assert.deepEqual(pipe(from, { A: "a", B: 2.5, C: 3 }, to), { C: 3, B: 2.5, A: "a" });
});

test("TestIgnoredFields: every kind is passed over", () => {
  const inner = gob.struct({ I: gob.int });
  const from = gob.struct({
    A: gob.int,
    B: gob.string,
    Ignore_a: gob.float64,
    Ignore_b: gob.complex128,
    Ignore_c: gob.map(gob.string, gob.slice(gob.bytes)),
    Ignore_d: gob.pointer(inner),
    Ignore_e: gob.array(inner, 2),
    Ignore_f: gob.time,
    Ignore_g: gob.slice(gob.any),
    Ignore_h: gob.bool,
    C: gob.float64,
  });
  const value: gob.Input<typeof from> = {
    A: 1,
    B: "b",
    Ignore_a: 1.5,
    Ignore_b: { re: 1, im: 2 },
    Ignore_c: { k: [Buffer.from("x"), Buffer.alloc(0)] },
    Ignore_d: { I: 3 },
    Ignore_e: [{ I: 1 }, {}],
    Ignore_f: new Date(0),
    Ignore_g: ["s", null, gob.value(gob.slice(gob.int), [1, 2]), true],
    Ignore_h: true,
    C: 2.5,
  };
  const to = gob.struct({ B: gob.string, A: gob.int, C: gob.float64 });
  assert.deepEqual(pipe(from, value, to), { B: "b", A: 1, C: 2.5 });
});

test("TestBadRecursiveType", () => {
  const rec: gob.Schema<unknown, unknown> = gob.lazy(() => gob.pointer(gob.pointer(rec)));
  assert.throws(() => gob.encode(rec, 1), { code: "ERR_GOB_SCHEMA" });
  assert.throws(() => gob.decode(rec, unhex("03040006")), { code: "ERR_GOB_SCHEMA" });
});

test("TestIndirectSliceMapArray", () => {
  const p = gob.pointer;
  const indirect = gob.struct({
    A: p(p(p(gob.array(gob.int, 3)))),
    S: p(p(p(gob.slice(gob.int)))),
    M: p(p(p(p(gob.map(gob.string, gob.int))))),
  });
  const direct = gob.struct({
    A: gob.array(gob.int, 3),
    S: gob.slice(gob.int),
    M: gob.map(gob.string, gob.int),
  });
  const value = { A: [1, 2, 3], S: [4, 5], M: new Map([["one", 1]]) };
  assert.deepEqual(pipe(indirect, value, direct), value);
  assert.deepEqual(pipe(direct, value, indirect), value);
});

const floatVector = gob.named("main.Vector", gob.slice(gob.float64));
const point = gob.struct({ X: gob.int, Y: gob.int }, { name: "main.Point" });
const int = gob.named("main.Int", gob.int);
const float = gob.named("main.Float", gob.float64);
const registry = new gob.Registry().register(floatVector).register(point).register(int).register(float);

test("TestInterface", () => {
  const item = gob.struct({
    I: gob.int,
    Sq: gob.any,
    Sq2: gob.any,
    F: gob.float64,
    Sqs: gob.slice(gob.any),
  });
  const value = {
    I: 1,
    Sq: gob.value(int, 3),
    Sq2: gob.value(floatVector, [1, 2, 3]),
    F: 5,
    Sqs: [gob.value(int, 1), null, gob.value(point, { X: 2 })],
  };
  assert.deepEqual(pipe(item, value, item, { registry }), {
    I: 1,
    Sq: 3,
    Sq2: [1, 2, 3],
    F: 5,
    Sqs: [1, null, { X: 2, Y: 0 }],
  });
});

test("TestInterfaceBasic: every builtin type", () => {
  const values: [string, unknown][] = [
    ["int", 1],
    ["int8", -2],
    ["int16", 3],
    ["int32", 4],
    ["int64", 2n ** 62n],
    ["uint", 5],
    ["uint8", 6],
    ["uint16", 7],
    ["uint32", 8],
    ["uint64", 2n ** 63n],
    ["uintptr", 9],
    ["float32", 1.5],
    ["float64", 2.5],
    ["complex64", { re: 1, im: 2 }],
    ["complex128", { re: 3, im: 4 }],
    ["bool", true],
    ["string", "hello"],
    ["[]uint8", Buffer.from("bytes")],
    ["[]int", [1, -1]],
    ["[]int64", [2n ** 60n]],
    ["[]string", ["a", ""]],
    ["[]bool", [true, false]],
    ["[]float64", [0.5]],
  ];
  const all = gob.slice(gob.typedAny);
  const typed = values.map(([name, v]) => new gob.TypedValue(gob.registry.schema(name)!, v));
  const back = pipe(all, typed, all);
  assert.deepEqual(
    back.map((v) => [v!.name, v!.value]),
    values,
  );
});

test("TestInterfacePointer: a pointer that was sent arrives as a value of its registered type", () => {
  const byPointer = new gob.Registry().register(gob.pointer(point));
  const schema = gob.struct({ P: gob.typedAny });
  const back = pipe(schema, { P: gob.value(point, { X: 1 }) }, schema, { registry: byPointer });
  assert.equal(back.P!.name, "*main.Point");
  assert.deepEqual(back.P!.value, { X: 1, Y: 0 });
});

test("TestIgnoreInterface: with the definitions it brings", () => {
  const from = gob.struct({ I: gob.int, Sq: gob.any, P: gob.any, F: gob.float64 });
  const to = gob.struct({ I: gob.int, F: gob.float64 });
  const value = { I: 1, Sq: gob.value(point, { X: 5 }), P: gob.value(floatVector, [1]), F: 2 };
  assert.deepEqual(pipe(from, value, to, { registry }), { I: 1, F: 2 });
});

test("TestUnexportedFields: a schema cannot have them", () => {
  assert.throws(() => gob.struct({ c: gob.int }), { code: "ERR_GOB_SCHEMA" });
});

test("TestErrorInvalidTypeId: the same error each time", () => {
  const decoder = new gob.Decoder();
  for (let i = 0; i < 2; i++) {
    decoder.push(unhex("03ffc800"));
    assert.throws(() => decoder.decode(gob.struct({ A: gob.int })), {
      goText: "gob: unknown type id or corrupted data",
    });
  }
});

test("TestLargeSlice", () => {
  const n = 100_000;
  const check = <T>(schema: gob.Schema<readonly T[] | null, T[]>, value: T): void => {
    const values = new Array<T>(n).fill(value);
    const back = pipe(schema, values, schema);
    assert.equal(back.length, n);
    assert.deepEqual(back[n - 1], value);
  };
  check(gob.slice(gob.int8), 1);
  check(gob.slice(gob.string), "string");
  check(gob.slice(gob.struct({ X: gob.int })), { X: 1 });
  const bytes = Buffer.alloc(1 << 21, 7);
  assert.deepEqual(pipe(gob.bytes, bytes, gob.bytes), bytes);
});

test("TestLocalRemoteTypesMismatch: an array where a map is wanted", () => {
  const from = gob.struct({ M: gob.slice(gob.int) });
  const to = gob.struct({ M: gob.map(gob.string, gob.int) });
  assert.throws(() => pipe(from, { M: [1] }, to), { code: "ERR_GOB_MISMATCH" });
});
