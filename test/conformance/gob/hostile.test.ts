import assert from "node:assert/strict";
import { test } from "node:test";
import * as gob from "../../../src/gob/index.js";
import { type Form, normalize, World } from "./forms.js";
import { parseType } from "./go-types.js";
import { type HostileVector, load, type ValidVector } from "./vectors.js";

const vectors = load<HostileVector>("hostile");
const world = new World();
for (const vector of [...load<ValidVector>("valid"), ...vectors]) world.declare(vector.go_decls ?? []);
world.registerVectorTypes();

/** Far above what any case needs, far below what the lengths in them announce. */
const MEMORY_LIMIT = 64 << 20;

function outcome(vector: HostileVector): { result: string; form?: Form; value?: unknown } {
  const decoder = new gob.Decoder({ registry: world.registry, invalidUtf8: "escape" });
  decoder.push(Buffer.from(vector.stream_hex, "hex"));
  decoder.end();
  try {
    if (vector.target === "nil") {
      decoder.skip();
      return { result: "value" };
    }
    const value = decoder.decode(world.schema(vector.target));
    assert.notEqual(value, gob.NEED_MORE);
    return { result: "value", value };
  } catch (error) {
    assert.ok(error instanceof gob.GobError, `not a GobError: ${String(error)}`);
    return { result: error.code === "ERR_GOB_EOF" ? "eof" : "error" };
  }
}

for (const vector of vectors)
  test(vector.name, () => {
    const before = process.memoryUsage();
    const { result, value } = outcome(vector);
    const after = process.memoryUsage();
    assert.ok(vector.accept.includes(result as never), `${result} instead of ${vector.accept.join(" or ")}`);
    assert.ok(after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers < MEMORY_LIMIT);
    const expected = vector.go_steps[0]?.value;
    if (result === "value" && expected !== undefined && !JSON.stringify(expected).includes('"elided"'))
      assert.equal(
        JSON.stringify(world.form(parseType(vector.target), value)),
        JSON.stringify(positiveZero(normalize(expected))),
      );
  });

/** A bigint has no negative zero, which Go's big.Int can be made to hold. */
function positiveZero(form: Form): Form {
  return form.k === "payload" && form.hex === "03" ? { ...form, hex: "02" } : form;
}
