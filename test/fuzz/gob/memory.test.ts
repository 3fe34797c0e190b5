import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { setGenerate } from "../../../src/gob/codegen.js";
import * as gob from "../../../src/gob/index.js";

setFlagsFromString("--expose-gc");
const gc = runInNewContext("gc") as () => void;

const ALLOCATION = 1 << 20;
/** Bytes a value may take for each of its bytes on the wire; docs/gob.md states it. */
const SHARE = 256;
/** What measuring is off by: compiled code, the collector's own. */
const SLACK = 1 << 20;
/** Longest stream that is tried. */
const LONGEST = 12 << 10;

const held = (): number => {
  gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};

/** Schemas whose zero values take nothing on the wire, and as much as they can in memory. */
const { schema: schemaArbitrary } = fc.letrec<{ schema: gob.AnySchema }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom<gob.AnySchema>(
      ...[
        gob.bytes,
        gob.rawString,
        gob.complex128,
        gob.int,
        gob.int64,
        gob.string,
        gob.time,
        gob.bigInt,
        gob.any,
      ],
      gob.slice(gob.int),
      gob.map(gob.string, gob.int),
    ),
    fc.tuple(tie("schema"), fc.integer({ min: 0, max: 20 })).map(([elem, n]) => gob.array(elem, n)),
    fc
      .tuple(fc.array(tie("schema"), { minLength: 1, maxLength: 6 }), fc.integer({ min: 1, max: 30 }))
      .map(([kinds, times]) =>
        gob.struct(
          Object.fromEntries(
            Array.from({ length: kinds.length * times }, (_, i) => [`F${i}`, kinds[i % kinds.length]!]),
          ),
        ),
      ),
    tie("schema").map((elem) => gob.map(gob.int, elem)),
    tie("schema").map((elem) => gob.slice(elem as gob.Schema<never, unknown>)),
  ),
}));

interface Found {
  /** A longer stream was refused. */
  refused: boolean;
  /** What the longest one that was not refused took of the bound. */
  share: number;
}

/** Finds the longest slice that the limit lets pass, and holds what it takes against the bound. */
function measure(elem: gob.AnySchema, streamOf: (n: number) => Buffer): Found {
  const schema = gob.slice(elem);
  const decode = (n: number): unknown[] =>
    gob.decode(schema, streamOf(n), { limits: { allocation: ALLOCATION } });
  const fits = (n: number): boolean => {
    try {
      return decode(n).length === n;
    } catch (error) {
      assert.equal((error as gob.GobError).code, "ERR_GOB_LIMIT");
      return false;
    }
  };
  let most = 0;
  let refused = false;
  const each = streamOf(2).length - streamOf(1).length;
  for (let step = 1; step >= 1; step = refused ? step >> 1 : step * 2) {
    if ((most + step) * each > LONGEST) break;
    if (fits(most + step)) most += step;
    else refused = true;
  }
  const before = held();
  const value = decode(most);
  const taken = held() - before;
  const bytes = streamOf(most).length;
  const bound = ALLOCATION + SHARE * bytes;
  assert.equal(value.length, most);
  assert.ok(
    taken <= bound + SLACK,
    `${most} elements in ${bytes} bytes took ${taken}, the bound is ${bound}`,
  );
  return { refused, share: taken / bound };
}

/** Of a struct none of whose fields the stream has, each element is one byte. */
const absent = (elem: gob.AnySchema): Found =>
  measure(elem, (n) => gob.encode(gob.slice(gob.emptyStruct), new Array(n).fill({})));

const present = (elem: gob.AnySchema): Found =>
  measure(elem, (n) =>
    gob.encode(gob.slice(elem) as gob.Schema<unknown, unknown>, new Array(n).fill(gob.zero(elem))),
  );

for (const generate of [true, false])
  test(`no schema makes a value take more than the documented bound, ${generate ? "generated code" : "closures"}`, (t) => {
    setGenerate(generate);
    t.after(() => setGenerate(true));
    const near: Found[] = [];
    for (const schema of fc.sample(schemaArbitrary, { numRuns: 12, seed: 1 })) {
      const elem = gob.struct({ A: schema, B: gob.pointer(schema) });
      const found = absent(elem);
      if (found.refused && found.share > 0.4) near.push(found);
      present(elem);
    }
    // The test is worth something only if some come near the bound.
    assert.ok(near.length >= 2, `${near.length} schemas came near the bound`);
  });

test("a struct of many empty containers, thousands of times in two bytes each", () => {
  const containers = Object.fromEntries(
    Array.from({ length: 100 }, (_, i) => [`M${i}`, gob.map(gob.string, gob.int)]),
  );
  const wide = gob.struct(containers);
  let nested: gob.AnySchema = wide;
  for (let i = 0; i < 5; i++) nested = gob.struct({ A: nested, B: nested });
  // So many fields are a hash table in V8, of several times the size.
  const table = gob.struct(Object.fromEntries(Array.from({ length: 1100 }, (_, i) => [`F${i}`, gob.int])));
  const array = gob.struct({ A: gob.array(gob.map(gob.string, gob.int), 5000) });
  for (const elem of [nested, wide, table, array]) assert.ok(absent(elem).refused);
  // As a field behind a pointer, which takes two bytes.
  const holder = gob.slice(gob.struct({ P: gob.pointer(wide) }));
  const stream = gob.encode(
    holder,
    Array.from({ length: 100_000 }, () => ({ P: {} })),
  );
  assert.throws(() => gob.decode(holder, stream), { code: "ERR_GOB_LIMIT" });
});
