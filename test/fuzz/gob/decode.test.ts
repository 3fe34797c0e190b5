import assert from "node:assert/strict";
import { after, test } from "node:test";
import fc from "fast-check";
import { setGenerate } from "../../../src/gob/codegen.js";
import * as gob from "../../../src/gob/index.js";
import { World } from "../../conformance/gob/forms.js";
import { load, type ValidVector } from "../../conformance/gob/vectors.js";

const vectors = load<ValidVector>("valid").filter((vector) => vector.stream_hex.length < 4000);
const limits = { allocation: 1 << 20, message: 1 << 20 };

function world(): World {
  const made = new World();
  for (const vector of load<ValidVector>("valid")) made.declare(vector.go_decls ?? []);
  made.registerVectorTypes();
  return made;
}
// Two sets of the same schemas: what is compiled from the one is generated, from the other made of closures.
const generated = world();
const closures = world();
after(() => setGenerate(true));

type Outcome = { value: unknown } | { error: string };

/** What decoding gives, value by value, until the stream ends or breaks. */
function outcomes(from: World, generate: boolean, targets: readonly string[], bytes: Buffer): Outcome[] {
  setGenerate(generate);
  const decoder = new gob.Decoder({ registry: from.registry, limits, invalidUtf8: "escape" });
  decoder.push(bytes);
  decoder.end();
  const found: Outcome[] = [];
  for (let i = 0; i < 20; i++) {
    const target = targets[Math.min(i, targets.length - 1)]!;
    try {
      found.push({ value: target === "nil" ? decoder.skip() : decoder.decode(from.schema(target)) });
    } catch (error) {
      assert.ok(error instanceof gob.GobError, `not a GobError: ${(error as Error).stack}`);
      found.push({ error: `${error.code} ${error.message}` });
      if (error.code === "ERR_GOB_EOF") break;
    }
  }
  return found;
}

/** Values with their schemas (which differ between the worlds) left out. */
const plain = (found: Outcome[]): unknown =>
  JSON.parse(
    JSON.stringify(found, (key, value: unknown) => {
      if (key === "schema") return undefined;
      if (typeof value === "bigint") return `${value}n`;
      if (value instanceof Map) return [...value];
      return value;
    }),
  );

/** Both ways of decoding must agree, and neither may throw anything but a GobError. */
function agree(targets: readonly string[], bytes: Buffer): void {
  assert.deepEqual(
    plain(outcomes(generated, true, targets, bytes)),
    plain(outcomes(closures, false, targets, bytes)),
  );
  setGenerate(true);
  const decoder = new gob.Decoder({ limits });
  decoder.push(bytes);
  decoder.end();
  for (let i = 0; i < 20; i++)
    try {
      decoder.decodeAny();
    } catch (error) {
      assert.ok(error instanceof gob.GobError, `not a GobError: ${(error as Error).stack}`);
      if (error.code === "ERR_GOB_EOF") break;
    }
}

const vector = fc.constantFrom(...vectors);
const targetsOf = (of: ValidVector): string[] => of.decode_types ?? of.go_types;

test("bytes changed, taken out and put in", () => {
  const edit = fc.record({
    at: fc.nat(),
    byte: fc.nat(255),
    how: fc.constantFrom("set", "cut", "add", "flip"),
  });
  fc.assert(
    fc.property(vector, fc.array(edit, { minLength: 1, maxLength: 4 }), (of, edits) => {
      const bytes = [...Buffer.from(of.stream_hex, "hex")];
      for (const { at, byte, how } of edits) {
        const where = at % bytes.length;
        if (how === "set") bytes[where] = byte;
        else if (how === "flip") bytes[where]! ^= 1 << (byte & 7);
        else if (how === "cut") bytes.splice(where, 1);
        else bytes.splice(where, 0, byte);
        if (bytes.length === 0) break;
      }
      agree(targetsOf(of), Buffer.from(bytes));
    }),
    { numRuns: 4000 },
  );
});

test("one stream spliced into another", () => {
  fc.assert(
    fc.property(vector, vector, fc.nat(), fc.nat(), (a, b, cutA, cutB) => {
      const [left, right] = [Buffer.from(a.stream_hex, "hex"), Buffer.from(b.stream_hex, "hex")];
      const bytes = Buffer.concat([
        left.subarray(0, cutA % left.length),
        right.subarray(cutB % right.length),
      ]);
      agree(targetsOf(a), bytes);
    }),
    { numRuns: 1500 },
  );
});

test("random bytes, random targets", () => {
  fc.assert(
    fc.property(vector, fc.uint8Array({ maxLength: 60 }), (of, bytes) =>
      agree(targetsOf(of), Buffer.from(bytes)),
    ),
    { numRuns: 2000 },
  );
});

test("every truncation ends in EOF at a value's end, in unexpected EOF elsewhere", () => {
  for (const of of vectors.filter((each) => each.stream_hex.length < 800)) {
    const bytes = Buffer.from(of.stream_hex, "hex");
    const whole = outcomes(generated, true, targetsOf(of), bytes);
    for (let cut = 0; cut < bytes.length; cut++) {
      const found = outcomes(generated, true, targetsOf(of), bytes.subarray(0, cut));
      const values = found.filter((each) => "value" in each);
      assert.deepEqual(values, whole.slice(0, values.length), `${of.name} cut at ${cut}`);
      const { error } = found[values.length] as { error: string };
      assert.match(error, /^ERR_GOB_(UNEXPECTED_)?EOF /, `${of.name} cut at ${cut}`);
    }
  }
});

/** Feeds a stream in borrowed chunks that are overwritten as soon as they are settled. */
function chunked(of: ValidVector, bytes: Buffer, sizes: readonly number[], borrowed: boolean): unknown[] {
  setGenerate(true);
  const decoder = new gob.Decoder({ registry: generated.registry, invalidUtf8: "escape" });
  const targets = targetsOf(of);
  const values: unknown[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const chunk = Buffer.from(bytes.subarray(at, at + sizes[i % sizes.length]!));
    at += chunk.length;
    decoder.push(chunk, borrowed);
    while (values.length < targets.length) {
      const target = targets[values.length]!;
      const value = target === "nil" ? decoder.skip() : decoder.decode(generated.schema(target));
      if (value === gob.NEED_MORE) break;
      values.push(value);
    }
    if (borrowed) {
      decoder.settle();
      chunk.fill(0xaa);
    }
  }
  return values;
}

test("every chunking gives the same values", () => {
  for (const of of vectors) {
    const bytes = Buffer.from(of.stream_hex, "hex");
    const whole = chunked(of, bytes, [bytes.length], false);
    assert.equal(whole.length, targetsOf(of).length, of.name);
    assert.deepEqual(chunked(of, bytes, [1], true), whole, `${of.name} byte by byte`);
    assert.deepEqual(chunked(of, bytes, [7], false), whole, `${of.name} by sevens`);
  }
  fc.assert(
    fc.property(
      vector,
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
      fc.boolean(),
      (of, sizes, lent) => {
        const bytes = Buffer.from(of.stream_hex, "hex");
        assert.deepEqual(chunked(of, bytes, sizes, lent), chunked(of, bytes, [bytes.length], false));
      },
    ),
    { numRuns: 1000 },
  );
});
