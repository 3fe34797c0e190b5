import assert from "node:assert/strict";
import { after, test } from "node:test";
import fc from "fast-check";
import { setGenerate } from "../../../src/gob/codegen.js";
import * as gob from "../../../src/gob/index.js";
import { descArbitrary, valueArbitrary } from "../../conformance/gob/arbitrary.js";
import { type Desc, schemaOf } from "../../conformance/gob/peer.js";

after(() => setGenerate(true));

/** The stream of a value, or the error's text; on a fresh schema, so that the mode decides what is compiled. */
function encoded(desc: Desc, value: unknown, generate: boolean): string {
  setGenerate(generate);
  const encoder = new gob.Encoder();
  const schema = schemaOf(desc) as gob.Schema<unknown, unknown>;
  try {
    encoder.encode(schema, value);
    // Again, on a stream that knows the type and has bytes pending.
    encoder.encode(schema, value);
  } catch (error) {
    assert.ok(error instanceof gob.GobError, `not a GobError: ${(error as Error).stack}`);
    assert.equal(encoder.pending, 0);
    return error.message;
  }
  return encoder.take().toString("hex");
}

function agree(desc: Desc, value: unknown): void {
  assert.equal(encoded(desc, value, true), encoded(desc, value, false));
}

const pair = descArbitrary.chain((desc) => fc.tuple(fc.constant(desc), valueArbitrary(desc)));

test("generated code and closures write the same bytes, and both modes read them back", () => {
  fc.assert(
    fc.property(pair, ([desc, value]) => {
      agree(desc, value);
      const bytes = Buffer.from(encoded(desc, value, true), "hex");
      setGenerate(true);
      const fast = gob.decode(schemaOf(desc), bytes);
      setGenerate(false);
      assert.deepEqual(gob.decode(schemaOf(desc), bytes), fast);
    }),
    { numRuns: 1500 },
  );
});

test("a value of another type, or any value at all, gives the same bytes or the same error", () => {
  const wrong = fc.oneof(
    fc.anything({ withBigInt: true, withMap: true, withTypedArray: true, withNullPrototype: true }),
    descArbitrary.chain(valueArbitrary),
  );
  fc.assert(
    fc.property(descArbitrary, wrong, (desc, value) => agree(desc, value)),
    { numRuns: 3000 },
  );
});
