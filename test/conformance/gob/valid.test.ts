import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import * as gob from "../../../src/gob/index.js";
import { describedForm, type Form, normalize, World } from "./forms.js";
import { parseType } from "./go-types.js";
import { load, type ValidVector } from "./vectors.js";

const vectors = load<ValidVector>("valid");
const expectedFailures = new Set(
  readFileSync(new URL("expected-failures.txt", import.meta.url), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#")),
);
const world = new World();
for (const vector of vectors) world.declare(vector.go_decls ?? []);

world.registerVectorTypes();

/** Types that the generator could only send by their address, as their methods have pointer receivers. */
const POINTER_RECEIVERS = new Set(["big.Int", "big.Rat", "big.Float", "url.URL", "vt.GobUpper"]);

const options = { registry: world.registry, invalidUtf8: "escape" } as const;
const bytesOf = (vector: ValidVector): Buffer => Buffer.from(vector.stream_hex, "hex");

/** A vector's case, unless the file of expected failures names it: then it has to fail. */
function check(what: string, vector: ValidVector, run: () => void): void {
  const name = `${vector.name} ${what}`;
  test(name, () => {
    if (expectedFailures.has(name)) assert.throws(run, `${name} passes: take it off the list`);
    else run();
  });
}

for (const vector of vectors) {
  const targets = vector.decode_types ?? vector.go_types;

  check("decodes", vector, () => {
    const decoder = new gob.Decoder(options);
    decoder.push(bytesOf(vector));
    decoder.end();
    for (const [i, target] of targets.entries()) {
      if (target === "nil") {
        assert.equal(decoder.skip(), true);
        continue;
      }
      const value = decoder.decode(world.schema(target));
      assert.deepEqual(world.form(parseType(target), value), normalize(vector.values[i]!));
    }
    assert.throws(() => decoder.skip(), { code: "ERR_GOB_EOF" });
  });

  if (vector.wire_values !== undefined)
    check("describes itself", vector, () => {
      const decoder = new gob.Decoder(options);
      decoder.push(bytesOf(vector));
      for (const expected of vector.wire_values!) {
        const { type, value } = decoder.decodeAny() as gob.Described;
        assert.deepEqual(
          describedForm(decoder, type, value),
          normalize(expected, (id) => decoder.type(decoder.type(id)!.elem)!.kind),
        );
      }
      assert.deepEqual(decoder.types().map(typeForm), vector.wire_types);
    });

  if (vector.deterministic)
    check("is encoded to the same bytes", vector, () => {
      const encoder = new gob.Encoder(options);
      for (const [i, type] of vector.go_types.entries()) {
        const form = (vector.sent ?? vector.values)[i] as Form;
        const schema = POINTER_RECEIVERS.has(type) ? gob.pointer(world.schema(type)) : world.schema(type);
        const value = world.value(parseType(type), form);
        // The form does not tell GobEmpty's zero from its other values, which have the same payload.
        if (vector.name === "gob/opaques-zero") delete (value as { E?: unknown }).E;
        encoder.encode(schema as gob.Schema<unknown, unknown>, value);
      }
      assert.equal(encoder.take().toString("hex"), vector.stream_hex);
    });
}

/** A type of the stream in the vectors' form. */
function typeForm(type: gob.WireType): Record<string, unknown> {
  const form: Record<string, unknown> = { id: type.id, kind: type.kind, name: type.name };
  if (type.commonId !== type.id) form.common_id = type.commonId;
  if (type.kind === "map") form.key = type.key;
  if (type.kind === "map" || type.kind === "slice" || type.kind === "array") form.elem = type.elem;
  if (type.kind === "array") form.len = type.length;
  if (type.kind === "struct") form.fields = type.fields.map((field) => [field.name, field.id]);
  return form;
}

test("no failure is expected", () => assert.deepEqual([...expectedFailures], []));
