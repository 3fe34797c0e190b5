import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import fc from "fast-check";
import * as gob from "../../../src/gob/index.js";
import { descArbitrary, valueArbitrary } from "./arbitrary.js";
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
