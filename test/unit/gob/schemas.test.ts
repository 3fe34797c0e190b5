import assert from "node:assert/strict";
import { after, beforeEach, describe, test } from "node:test";
import { setGenerate } from "../../../src/gob/codegen.js";
import * as gob from "../../../src/gob/index.js";

for (const generate of [true, false])
  describe(generate ? "in generated code" : "in closures", () => {
    beforeEach(() => setGenerate(generate));
    after(() => setGenerate(true));

    test("structs that contain themselves and each other, through getters and lazy fields", () => {
      const node = gob.struct({
        Name: gob.string,
        get Children() {
          return gob.slice(node);
        },
        get ByName() {
          return gob.map(gob.string, gob.pointer(node));
        },
        Next: gob.lazy(() => gob.pointer(node)),
        get Other() {
          return gob.pointer(other);
        },
      });
      const other = gob.struct({ Nodes: gob.slice(node), Size: gob.int });
      const leaf = gob.zero(node);
      assert.deepEqual(leaf, { Name: "", Children: [], ByName: new Map(), Next: null, Other: null });
      const value = {
        ...leaf,
        Name: "root",
        Children: [{ ...leaf, Name: "child", Next: { ...leaf, Name: "next" } }],
        ByName: new Map([["x", { ...leaf, Other: { Nodes: [leaf], Size: 5 } }]]),
      };
      assert.deepEqual(gob.decode(node, gob.encode(node, value)), value);
    });

    test("a plain object stands for a map wherever its keys can be text", () => {
      const registry = new gob.Registry();
      const counts = gob.map(gob.string, gob.int);
      registry.register(counts);
      const nested = gob.struct({
        Named: gob.map(gob.named("example.com/x.Key", gob.string), gob.slice(counts)),
        Raw: gob.map(gob.rawString, gob.bool),
        ById: gob.map(gob.uuid, gob.int),
        Any: gob.map(gob.any, gob.any),
        Pointer: gob.pointer(counts),
      });
      const id = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";
      const stream = gob.encode(
        nested,
        {
          Named: { k: [{ a: 1 }, { b: 2 }] },
          Raw: { r: true },
          ById: { [id]: 3 },
          Any: { x: gob.value(counts, { c: 3 }) },
          Pointer: { d: 4 },
        },
        { registry },
      );
      assert.deepEqual(gob.decode(nested, stream, { registry }), {
        Named: new Map([["k", [new Map([["a", 1]]), new Map([["b", 2]])]]]),
        Raw: new Map([[Buffer.from("r"), true]]),
        ById: new Map([[id, 3]]),
        Any: new Map([["x", new Map([["c", 3]])]]),
        Pointer: new Map([["d", 4]]),
      });
      for (const wrong of [new (class {})(), [], 5])
        assert.throws(() => gob.encode(counts, wrong as never), { code: "ERR_GOB_VALUE" });
      assert.throws(() => gob.encode(gob.map(gob.int, gob.int), { 1: 1 } as never), {
        code: "ERR_GOB_VALUE",
      });
      const decoder = new gob.Decoder();
      decoder.push(gob.encode(counts, { a: 1, b: 2 }));
      assert.deepEqual(
        decoder.decode(counts, { b: 9, c: 3 } as never),
        new Map([
          ["b", 2],
          ["c", 3],
          ["a", 1],
        ]),
      );
    });

    test("an equal key of a struct, an array or a complex number is replaced, as in Go", () => {
      const key = gob.struct({
        N: gob.int,
        Of: gob.array(gob.string, 2),
        F: gob.float64,
        C: gob.complex128,
        T: gob.time,
        A: gob.any,
        P: gob.pointer(gob.int),
      });
      const map = gob.map(key, gob.string);
      const at = (N: number, more: object = {}) => ({
        ...gob.zero(key),
        N,
        Of: ["a,", "b"],
        F: -0.5,
        C: { re: 1, im: 2 },
        A: "any",
        ...more,
      });
      const first = gob.decode(
        map,
        gob.encode(
          map,
          new Map([
            [at(1), "one"],
            [at(2), "two"],
          ]),
        ),
      );
      const decoder = new gob.Decoder();
      decoder.push(
        gob.encode(
          map,
          new Map([
            [at(2), "zwei"],
            [at(3), "drei"],
            [at(2, { Of: ["a", ",b"] }), "else"],
          ]),
        ),
      );
      assert.equal(decoder.decode(map, first), first);
      assert.deepEqual([...first.values()], ["one", "zwei", "drei", "else"]);
      // What Go never finds equal stays apart: NaN, and pointers, of which each decoding makes new ones.
      const apart = new Map([
        [at(1, { P: 7 }), "pointer"],
        [at(1, { F: Number.NaN }), "nan"],
      ]);
      const again = gob.decode(map, gob.encode(map, apart));
      const second = new gob.Decoder();
      second.push(gob.encode(map, apart));
      assert.equal((second.decode(map, again) as Map<unknown, unknown>).size, 4);
    });
  });

test("a struct refuses fields that are no schemas, a getter's when it is first used", () => {
  const schema = { code: "ERR_GOB_SCHEMA" };
  assert.throws(() => gob.struct({ A: "string" }), { ...schema, message: /field A is no schema/ });
  assert.throws(() => gob.struct({ A: undefined }), schema);
  assert.throws(() => gob.struct({ a: gob.int }), schema);
  const late = gob.struct({
    get A() {
      return 5 as never as typeof gob.int;
    },
  });
  assert.throws(() => gob.encode(late, { A: 5 }), schema);
  assert.throws(() => gob.encode(gob.lazy(() => 5) as never, 5 as never), schema);
});

test("zero gives what a field that did not arrive is, each time anew", () => {
  const schema = gob.struct({
    I: gob.int,
    B: gob.int64,
    S: gob.string,
    R: gob.rawString,
    L: gob.slice(gob.int),
    A: gob.array(gob.struct({ M: gob.map(gob.string, gob.int) }), 2),
    N: gob.map(gob.string, gob.int, { nilable: true }),
    C: gob.complex128,
    T: gob.time,
    Any: gob.any,
    Typed: gob.typedAny,
  });
  const zero = gob.zero(schema);
  assert.deepEqual(zero, gob.decode(schema, gob.encode(schema, {})));
  assert.deepEqual(gob.encode(schema, zero), gob.encode(schema, {}));
  zero.L.push(1);
  zero.A[0]!.M.set("x", 1);
  zero.C.re = 1;
  assert.deepEqual(gob.zero(schema), gob.decode(schema, gob.encode(schema, {})));
});

test("schemas that no Go type corresponds to", () => {
  const schema = { code: "ERR_GOB_SCHEMA" };
  assert.throws(() => gob.named("", gob.int), schema);
  assert.throws(() => gob.named("example.com/x.P", gob.pointer(gob.int)), schema);
  assert.throws(() => gob.slice(gob.uint8), { ...schema, message: /gob\.bytes/ });
  for (const length of [-1, 1.5, Number.NaN]) assert.throws(() => gob.array(gob.int, length), schema);
  // Nothing but references to itself.
  const empty: gob.AnySchema = gob.lazy(() => empty);
  const pointers: gob.AnySchema = gob.pointer(gob.lazy(() => pointers) as gob.AnySchema);
  for (const nothing of [empty, pointers]) {
    assert.throws(() => gob.encode(nothing, 1 as never), schema);
    assert.throws(() => gob.decode(nothing, gob.encode(gob.int, 1)), schema);
  }
  const itself = gob.struct({
    A: gob.int,
    get Itself(): gob.AnySchema {
      return itself;
    },
  });
  for (let i = 0; i < 2; i++) assert.throws(() => gob.zero(itself), schema);
});

test("a getter that fails at first is asked again", () => {
  const early = gob.struct({
    get Late() {
      return late;
    },
  });
  assert.throws(() => gob.zero(early), ReferenceError);
  const late = gob.struct({ A: gob.int });
  assert.deepEqual(gob.zero(early), { Late: { A: 0 } });
  assert.deepEqual(gob.decode(early, gob.encode(early, { Late: { A: 5 } })), { Late: { A: 5 } });
});
