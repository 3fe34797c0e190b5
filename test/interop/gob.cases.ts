import assert from "node:assert/strict";
import { type Desc, goRound, Peer, peerRegistry } from "../conformance/gob/peer.js";
import type { Case } from "./case.js";

type Listed = { name: string; desc: Desc };

const SEEDS = [1, 2, 3];

/** Sends samples of the types that are picked to Go and back. */
function round(feature: string, pick: (type: Listed) => boolean): Case {
  return {
    name: `ts->go gob ${feature}`,
    needs: ["gobpeer"],
    async run({ signal, bin }) {
      const peer = new Peer(bin("gobpeer"), signal);
      try {
        const types = (await peer.ask({ op: "types" })).types!;
        const registry = peerRegistry(types);
        const picked = types.filter(pick);
        assert.notEqual(picked.length, 0, "no type is picked");
        for (const type of picked)
          for (const seed of SEEDS) {
            const { first, last } = await goRound(peer, type, seed, registry);
            assert.deepEqual(last, first, `${type.name}, seed ${seed}`);
          }
      } finally {
        peer.close();
      }
    },
  };
}

const CUSTOM = /time\.Time|big\.|url\.|netip\.|Stamps|Bigs|Nets/;
const INTERFACES = /interface|WithIn/;
const NAMED = /^main\./;

export const cases: Case[] = [
  round(
    "scalars",
    ({ desc }) => desc.elem === undefined && desc.fields === undefined && desc.kind !== "custom",
  ),
  round("slices", ({ desc }) => desc.kind === "slice"),
  round("arrays", ({ desc }) => desc.kind === "array"),
  round("maps", ({ desc }) => desc.kind === "map"),
  round("structs", ({ name, desc }) => desc.kind === "struct" && !NAMED.test(name)),
  round("named, embedded and recursive types", ({ name }) => NAMED.test(name) && !CUSTOM.test(name)),
  round("interface values", ({ name }) => INTERFACES.test(name)),
  round("self-marshalling types", ({ name }) => CUSTOM.test(name)),
];
