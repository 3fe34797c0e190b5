// Go's gobencdec_test.go and type_test.go under their names. TestStressParallel and TestTypeRace test threads.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as gob from "../../../src/gob/index.js";
import { hex, pipe } from "./pipe.js";

const mismatch = { code: "ERR_GOB_MISMATCH" };

function texts(
  name: string,
  marshaler: "gob" | "binary" | "text",
  zeroIsSent = true,
): gob.Schema<string, string> {
  return gob.custom<string, string>({
    name: `main.${name}`,
    marshaler,
    encode: (value) => Buffer.from(value),
    decode: (payload) => payload.toString(),
    zero: () => "",
    ...(zeroIsSent ? {} : { isZero: (value: string) => value === "" }),
  });
}

const gobber = texts("StringStruct", "gob");
const bytesGobber = gob.custom<number, number>({
  name: "main.ByteStruct",
  marshaler: "gob",
  encode: (value) => Buffer.of(value, value + 1, value + 2),
  decode: (payload) => {
    if (payload.length === 0) throw new RangeError("EOF");
    return payload[0]!;
  },
  zero: () => 0,
});
const binary = texts("BinaryGobber", "binary");
const text = texts("TextGobber", "text");

test("TestGobEncoderField, TestGobEncoderValueField, TestGobEncoderIndirectField", () => {
  const p = gob.pointer;
  const schema = gob.struct({ X: gob.int, G: gobber, B: p(binary), T: p(p(text)) });
  const value = { X: 17, G: "hello", B: "Καλημέρα", T: "こんにちは" };
  assert.deepEqual(pipe(schema, value, schema), value);
});

test("TestGobEncoderArrayField and TestGobEncoderIndirectArrayField", () => {
  const schema = gob.struct({ A: gob.array(gobber, 2), B: gob.slice(gob.pointer(binary)) });
  const value = { A: ["a", ""], B: ["b", "c"] };
  assert.deepEqual(pipe(schema, value, schema), value);
});

test("TestGobEncoderFieldsOfDifferentType: any decoder of the field's name will do", () => {
  const from = gob.struct({ X: gob.int, G: gobber });
  const to = gob.struct({ X: gob.int, G: bytesGobber });
  assert.deepEqual(pipe(from, { X: 17, G: "ABC" }, to), { X: 17, G: 65 });
  assert.deepEqual(pipe(to, { X: 17, G: 88 }, from), { X: 17, G: "XYZ" });
});

test("TestGobEncoderValueEncoder, TestGobEncoderValueThenPointer, TestGobEncoderPointerThenValue", () => {
  const schema = gob.struct({ V: gobber, P: gob.pointer(gobber) });
  assert.deepEqual(pipe(schema, { V: "forty-two", P: "six-by-nine" }, schema), {
    V: "forty-two",
    P: "six-by-nine",
  });
  const turned = gob.struct({ P: gob.pointer(gobber), V: gobber });
  assert.deepEqual(pipe(turned, { V: "v", P: "p" }, schema), { V: "v", P: "p" });
});

test("TestGobEncoderFieldTypeError: a marshaller and a plain type", () => {
  const custom = gob.struct({ G: gobber });
  const plain = gob.struct({ G: gob.string });
  assert.throws(() => pipe(custom, { G: "a" }, plain), mismatch);
  assert.throws(() => pipe(plain, { G: "a" }, custom), mismatch);
  assert.throws(() => pipe(custom, { G: "a" }, gob.struct({ G: binary })), mismatch);
  assert.throws(() => pipe(custom, { G: "a" }, gob.struct({ G: gob.struct({ S: gob.string }) })), mismatch);
});

test("TestGobEncoderStructSingleton and TestGobEncoderNonStructSingleton", () => {
  assert.equal(pipe(gobber, "hello", gobber), "hello");
  assert.equal(pipe(binary, "", binary), "");
});

test("TestGobEncoderIgnoreStructField and TestGobEncoderIgnoreNonStructField", () => {
  const from = gob.struct({ X: gob.int, G: gobber, B: binary, T: text, Z: gob.int });
  assert.deepEqual(pipe(from, { X: 1, G: "g", B: "b", T: "t", Z: 2 }, gob.struct({ Z: gob.int })), { Z: 2 });
});

test("TestGobEncoderIgnoreNilEncoder and TestGobEncoderExtraIndirect", () => {
  const p = gob.pointer;
  const schema = gob.struct({ X: gob.int, G: p(gobber), T: p(p(p(gob.time))) });
  assert.deepEqual(pipe(schema, { X: 18, G: null }, schema), { X: 18, G: null, T: null });
  const at = new gob.GoTime(1, 2, 3600);
  assert.deepEqual(pipe(schema, { T: at }, schema).T, at);
});

test("TestGobEncodeIsZero", () => {
  const y = gob.struct({ A: texts("IsZeroBug", "gob", false), B: gob.int, C: gob.int });
  const sent = hex(gob.encode(y, { B: 3 }));
  assert.ok(sent.endsWith("020600"), sent);
  assert.deepEqual(pipe(y, { B: 3 }, y), { A: "", B: 3, C: 0 });
});

test("TestGobEncodePtrError: what a decoder throws reaches the caller, and the next value decodes", () => {
  const failing = gob.custom<string, string>({
    name: "main.ErrorDecoder",
    marshaler: "gob",
    encode: () => Buffer.of(1),
    decode: () => {
      throw new Error("gobDecode");
    },
    zero: () => "",
  });
  const encoder = new gob.Encoder();
  const decoder = new gob.Decoder();
  encoder.encode(failing, "x");
  encoder.encode(gob.int, 1);
  decoder.push(encoder.take());
  assert.throws(() => decoder.decode(failing), { code: "ERR_GOB_MARSHALER", goText: "gobDecode" });
  assert.equal(decoder.decode(gob.int), 1);
});

test("TestNetIP: a []byte kind is bytes, whatever methods it has", () => {
  const ip = gob.named("net.IP", gob.bytes);
  assert.deepEqual(pipe(ip, Buffer.of(1, 2, 3, 4), gob.bytes), Buffer.of(1, 2, 3, 4));
});

test("TestIgnoreDepthLimit", () => {
  let schema: gob.AnySchema = gob.struct({ A: gob.int });
  let value: unknown = { A: 1 };
  for (let i = 0; i < 60; i++) {
    schema = gob.struct({ N: schema as gob.Schema<unknown, unknown>, A: gob.int });
    value = { N: value, A: 1 };
  }
  const bytes = gob.encode(schema as gob.Schema<unknown, unknown>, value);
  const skipping = (depth: number): unknown => {
    const decoder = new gob.Decoder({ limits: { depth } });
    decoder.push(bytes);
    return decoder.skip();
  };
  assert.equal(skipping(100), true);
  assert.throws(() => skipping(50), { code: "ERR_GOB_LIMIT", goText: "gob: invalid nesting depth" });
});

test("TestBasic, TestArrayType, TestSliceType, TestMapType, TestStructType: ids and shapes", () => {
  const shared = gob.slice(gob.int);
  const schema = gob.struct(
    {
      A: gob.array(gob.int, 3),
      S: shared,
      T: shared,
      M: gob.map(gob.string, gob.bool),
      P: gob.pointer(shared),
    },
    { name: "main.Foo" },
  );
  const decoder = new gob.Decoder();
  decoder.push(gob.encode(schema, {}));
  decoder.skip();
  assert.deepEqual(
    decoder.types().map(({ id, kind, name, elem, key, length }) => [id, kind, name, elem, key, length]),
    [
      [65, "struct", "Foo", 0, 0, 0],
      [66, "array", "[3]int", 2, 0, 3],
      [67, "slice", "[]int", 2, 0, 0],
      [68, "map", "map[string]bool", 1, 6, 0],
    ],
  );
  assert.deepEqual(
    decoder.types()[0]!.fields.map((field) => field.id),
    [66, 67, 67, 68, 67],
  );
});

test("TestReregistration and TestRegistration", () => {
  const registry = new gob.Registry();
  const point = gob.struct({ X: gob.int }, { name: "main.Point" });
  registry
    .register(point)
    .register(point)
    .register(gob.struct({ X: gob.int }, { name: "main.Point" }));
  assert.throws(() => registry.register(point, "other"), {
    message: /^gob: registering duplicate names for main\.Point/,
  });
  assert.throws(() => registry.register(gob.struct({ Y: gob.int }, { name: "main.Point" })), {
    message: /^gob: registering duplicate types for "main\.Point"/,
  });
  assert.throws(() => registry.register(point, ""), { code: "ERR_GOB_USAGE" });
});

test("TestRegistrationNaming", () => {
  const names: [gob.AnySchema, string][] = [
    [gob.pointer(gob.struct({ X: gob.int }, { name: "encoding/gob.N1" })), "*gob.N1"],
    [gob.struct({ Y: gob.int }, { name: "encoding/gob.N2" }), "encoding/gob.N2"],
    [gob.map(gob.string, gob.slice(gob.int)), "map[string][]int"],
    [gob.array(gob.pointer(gob.string), 2), "[2]*string"],
  ];
  for (const [schema, name] of names) assert.equal(new gob.Registry().register(schema).nameOf(schema), name);
});
