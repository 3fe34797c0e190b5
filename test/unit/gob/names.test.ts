// What Go 1.26 prints and sends in the same cases.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as gob from "../../../src/gob/index.js";

const nameOnTheWire = (schema: gob.AnySchema): string | undefined => {
  const decoder = new gob.Decoder();
  decoder.push(gob.encode(schema as gob.Schema<unknown, unknown>, gob.zero(schema)));
  decoder.skip();
  return decoder.types()[0]?.name;
};

test("the name of a generic type is cut in front of its brackets, never inside them", () => {
  const named = (name: string) => gob.struct({ First: gob.int }, { name });
  for (const [goName, name] of [
    ["main.Pair[main.MyInt,[]main.Point]", "Pair[main.MyInt,[]main.Point]"],
    ["example.com/x/pairs.Pair[example.com/y/geo.Point,int]", "Pair[example.com/y/geo.Point,int]"],
    ["main.Box[*main.Point]", "Box[*main.Point]"],
    ["main.Point", "Point"],
    ["example.com/geo.Point", "Point"],
  ] as const)
    assert.equal(nameOnTheWire(named(goName)), name);
  const pair = named("example.com/x/pairs.Pair[example.com/y/geo.Point,int]");
  const registry = new gob.Registry().register(pair).register(gob.pointer(named("a.com/b.Box[a.com/c.T]")));
  assert.equal(registry.nameOf(pair), "example.com/x/pairs.Pair[example.com/y/geo.Point,int]");
  assert.ok(registry.schema("*b.Box[a.com/c.T]"));
  const other = gob.struct({ Other: gob.int });
  assert.throws(() => gob.decode(pair, gob.encode(other, { Other: 1 })), {
    goText: "gob: type mismatch: no fields matched compiling decoder for Pair[example.com/y/geo.Point,int]",
  });
  assert.throws(() => gob.decode(gob.slice(pair), gob.encode(gob.int, 1)), {
    goText:
      "gob: decoding into local type *[]pairs.Pair[example.com/y/geo.Point,int], received remote type int",
  });
});

test("texts name as many pointers as Go's", () => {
  const into = (schema: gob.AnySchema, stream: Buffer): string => {
    try {
      gob.decode(schema, stream);
    } catch (error) {
      return (error as gob.GobError).goText;
    }
    return "no error";
  };
  const { pointer } = gob;
  const five = gob.encode(gob.int, 5);
  const thousand = gob.encode(gob.int, 1000);
  assert.equal(into(gob.string, five), "gob: decoding into local type *string, received remote type int");
  assert.equal(
    into(pointer(gob.string), five),
    "gob: decoding into local type **string, received remote type int",
  );
  assert.equal(
    into(pointer(pointer(gob.string)), five),
    "gob: decoding into local type ***string, received remote type int",
  );
  assert.equal(
    into(pointer(gob.any), five),
    "gob: local interface type **interface {} can only be decoded from remote interface type; received concrete type int",
  );
  const s = gob.struct({ A: gob.string }, { name: "main.S" });
  for (const schema of [s, pointer(s), pointer(pointer(s))]) {
    assert.equal(
      into(schema, five),
      "gob: type mismatch in decoder: want struct type main.S; got non-struct",
    );
    assert.equal(
      into(schema, gob.encode(gob.struct({ X: gob.int }), { X: 1 })),
      "gob: type mismatch: no fields matched compiling decoder for S",
    );
  }
  assert.equal(
    into(gob.struct({ A: gob.string }), gob.encode(gob.struct({ X: gob.int }), { X: 1 })),
    "gob: type mismatch: no fields matched compiling decoder for ",
  );
  const f = gob.struct({ A: pointer(pointer(gob.int)) });
  assert.equal(into(f, gob.encode(s, { A: "x" })), "gob: wrong type (**int) for received field S.A");
  const int8 = pointer(gob.int8);
  assert.equal(into(int8, thousand), 'value for "**int8" out of range');
  assert.equal(into(pointer(int8), thousand), 'value for "***int8" out of range');
  assert.equal(
    into(gob.slice(int8), gob.encode(gob.slice(gob.int), [1000])),
    'value for "element of *[]*int8" out of range',
  );
});
