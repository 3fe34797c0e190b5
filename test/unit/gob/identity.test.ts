// Which schemas are one Go type, and which only look alike.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as gob from "../../../src/gob/index.js";

test("equal inner types that lead back to different outer ones are two types", () => {
  const first = gob.struct({
    get Inner() {
      return gob.struct({ Up: gob.pointer(first) });
    },
    P: gob.int,
  });
  const second = gob.struct({
    get Inner() {
      return gob.struct({ Up: gob.pointer(second) });
    },
    Q: gob.string,
  });
  const encoder = new gob.Encoder();
  const decoder = new gob.Decoder();
  encoder.encode(first, { Inner: { Up: { P: 1 } } });
  encoder.encode(second, { Inner: { Up: { Q: "q" } } });
  decoder.push(encoder.take());
  assert.equal((decoder.decode(first) as gob.Output<typeof first>).Inner.Up?.P, 1);
  assert.equal((decoder.decode(second) as gob.Output<typeof second>).Inner.Up?.Q, "q");
});

test("a type is described once a stream, however many schemas there are of it", () => {
  const make = () => gob.slice(gob.struct({ A: gob.map(gob.string, gob.int) }, { name: "main.T" }));
  const encoder = new gob.Encoder();
  encoder.encode(make(), []);
  const first = encoder.take().length;
  encoder.encode(make(), []);
  assert.ok(encoder.take().length < first / 4);
});

test("types that marshal themselves and have no name are each a type of their own", () => {
  const make = () =>
    gob.custom<string>({
      name: "",
      marshaler: "text",
      encode: (text) => Buffer.from(text),
      decode: (payload) => payload.toString(),
      zero: () => "",
    });
  const [one, two] = [make(), make()];
  const registry = new gob.Registry().register(one, "one");
  assert.equal(registry.nameOf(one), "one");
  assert.equal(registry.nameOf(two), undefined);
});

test("a registry takes no empty name, and no name or type twice", () => {
  const usage = { code: "ERR_GOB_USAGE" };
  const point = gob.struct({ X: gob.int }, { name: "main.Point" });
  const registry = new gob.Registry();
  assert.throws(() => registry.register(point, ""), usage);
  registry.register(point).register(point);
  assert.throws(() => registry.register(point, "other"), usage);
  assert.throws(() => registry.register(gob.struct({ Y: gob.int }), "main.Point"), usage);
});
