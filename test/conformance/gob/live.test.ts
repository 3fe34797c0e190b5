import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import fc from "fast-check";
import * as gob from "../../../src/gob/index.js";
import { descArbitrary, evolve, valueArbitrary } from "./arbitrary.js";
import { type Desc, goRound, noPeer, Peer, peerRegistry, schemaOf } from "./peer.js";

const SEEDS = 8;
let peer: Peer;

before(() => {
  if (noPeer === false) peer = new Peer();
});
after(() => peer?.close());

test("every type that Go lists goes round, several values each", { skip: noPeer }, async () => {
  const types = (await peer.ask({ op: "types" })).types!;
  assert.ok(types.length >= 80, `${types.length} types`);
  const registry = peerRegistry(types);
  for (const type of types)
    for (let seed = 0; seed < SEEDS; seed++) {
      const { first, last } = await goRound(peer, type, seed, registry).catch((error: Error) => {
        throw new Error(`${type.name}, seed ${seed}: ${error.message}`, { cause: error });
      });
      assert.deepEqual(last, first, `${type.name}, seed ${seed}`);
    }
});

test("what Go sends in interfaces goes back as it was, though it was shown as plain values", {
  skip: noPeer,
}, async () => {
  const types = (await peer.ask({ op: "types" })).types!;
  const registry = peerRegistry(types, gob.any);
  const hasInterface = (desc: Desc): boolean =>
    desc.kind === "interface" ||
    [desc.key, desc.elem].some((inner) => inner !== undefined && hasInterface(inner)) ||
    (desc.fields ?? []).some((field) => hasInterface(field.type));
  const some = types.filter((type) => hasInterface(type.desc));
  assert.ok(some.length >= 3, `${some.length} types`);
  for (const type of some)
    for (let seed = 0; seed < 4 * SEEDS; seed++)
      await goRound(peer, type, seed, registry, gob.any).catch((error: Error) => {
        // Alone at the top there is no place that could remember a number's type.
        if (type.desc.kind === "interface" && /could be of several Go types/.test(error.message)) return;
        throw new Error(`${type.name}, seed ${seed}: ${error.message}`, { cause: error });
      });
});

test("Go decodes random values of random schemas, and sends them back unchanged", {
  skip: noPeer,
}, async () => {
  const pair = descArbitrary.chain((desc) => fc.tuple(fc.constant(desc), valueArbitrary(desc)));
  await fc.assert(
    fc.asyncProperty(pair, async ([desc, value]: [Desc, unknown]) => {
      const schema = schemaOf(desc) as gob.Schema<unknown, unknown>;
      const ours = gob.encode(schema, value);
      const answer = await peer.ask({ op: "recode", desc, hex: ours.toString("hex") });
      assert.equal(answer.error, undefined);
      assert.deepEqual(gob.decode(schema, Buffer.from(answer.hex!, "hex")), gob.decode(schema, ours));
    }),
    { numRuns: 400 },
  );
});

test("another version of a type: what Go makes of the value, we make of it", { skip: noPeer }, async () => {
  const triple = descArbitrary.chain((desc) =>
    fc.tuple(fc.constant(desc), valueArbitrary(desc), fc.array(fc.nat(), { minLength: 60, maxLength: 60 })),
  );
  const outcomes = { same: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(triple, async ([desc, value, numbers]: [Desc, unknown, number[]]) => {
      let i = 0;
      const other = evolve(desc, () => numbers[i++ % numbers.length]!);
      const stream = gob.encode(schemaOf(desc) as gob.Schema<unknown, unknown>, value);
      const schema = schemaOf(other);
      const answer = await peer.ask({ op: "recode", desc: other, hex: stream.toString("hex") });
      if (answer.error !== undefined) {
        outcomes.refused++;
        assert.throws(() => gob.decode(schema, stream), { name: "GobError" }, `Go: ${answer.error}`);
        return;
      }
      outcomes.same++;
      assert.deepEqual(gob.decode(schema, stream), gob.decode(schema, Buffer.from(answer.hex!, "hex")));
    }),
    { numRuns: 400 },
  );
  assert.ok(outcomes.same > 50 && outcomes.refused > 5, JSON.stringify(outcomes));
});
