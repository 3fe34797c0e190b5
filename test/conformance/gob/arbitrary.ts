// Random types and values of them, for fast-check.
import fc from "fast-check";
import type { Desc } from "./peer.js";

const KEYS = ["int", "int8", "int64", "uint", "uint16", "uint64", "string", "bool", "float64"];
const SCALARS = [
  ...KEYS,
  "int16",
  "int32",
  "uint8",
  "uint32",
  "uintptr",
  "float32",
  "complex64",
  "complex128",
];

const scalar = (kinds: readonly string[]): fc.Arbitrary<Desc> =>
  fc.constantFrom(...kinds).map((kind) => ({ kind }));

/** A type: scalars below, containers and structs above, pointers in struct fields only, where nil can be sent. */
export const descArbitrary: fc.Arbitrary<Desc> = fc.letrec<{ desc: Desc; field: Desc }>((tie) => ({
  desc: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    scalar(SCALARS),
    fc.constant<Desc>({ kind: "custom", name: "time.Time" }),
    tie("desc").map<Desc>((elem) => ({ kind: "slice", elem })),
    fc.tuple(tie("desc"), fc.nat(3)).map<Desc>(([elem, len]) => ({ kind: "array", elem, len })),
    fc.tuple(scalar(KEYS), tie("desc")).map<Desc>(([key, elem]) => ({ kind: "map", key, elem })),
    fc
      .array(tie("field"), { minLength: 1, maxLength: 5 })
      .map<Desc>((types) => ({ kind: "struct", fields: types.map((type, i) => ({ name: `F${i}`, type })) })),
  ),
  field: fc.oneof(
    tie("desc"),
    tie("desc").map<Desc>((elem) => ({ kind: "ptr", elem })),
  ),
})).desc;

const text = fc.oneof(fc.string({ unit: "grapheme" }), fc.string(), fc.constant(""));
const double = fc.oneof(fc.double({ noNaN: true }), fc.integer(), fc.constant(0));
const single = fc.float({ noNaN: true });

function integer(bits: number, signed: boolean): fc.Arbitrary<number> {
  const max = 2 ** (signed ? bits - 1 : bits) - 1;
  return fc.oneof(fc.integer({ min: signed ? -max - 1 : 0, max }), fc.constant(0));
}

/** A value in the form that the encoder takes. */
export function valueArbitrary(desc: Desc): fc.Arbitrary<unknown> {
  const { kind } = desc;
  switch (kind) {
    case "bool":
      return fc.boolean();
    case "string":
      return text;
    case "float64":
      return double;
    case "float32":
      return single;
    case "complex64":
      return fc.record({ re: single, im: single });
    case "complex128":
      return fc.record({ re: double, im: double });
    case "int":
    case "int64":
      return fc.oneof(
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        fc.bigInt({ min: -300n, max: 300n }),
      );
    case "uint":
    case "uint64":
    case "uintptr":
      return fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.bigInt({ min: 0n, max: 300n }));
    case "custom":
      return fc.date({ noInvalidDate: true });
    case "ptr":
      return fc.option(valueArbitrary(desc.elem!), { nil: null });
    case "slice":
      if (desc.elem!.kind === "uint8") return fc.uint8Array({ maxLength: 300 });
      return fc.array(valueArbitrary(desc.elem!), { maxLength: 6 });
    case "array":
      return fc.array(valueArbitrary(desc.elem!), { minLength: desc.len ?? 0, maxLength: desc.len ?? 0 });
    case "map": {
      // −0 and 0 are one key in a Map, and NaN is one where Go has many.
      const entries = fc.uniqueArray(fc.tuple(valueArbitrary(desc.key!), valueArbitrary(desc.elem!)), {
        maxLength: 5,
        selector: ([key]) => (key === 0 ? "0" : String(key)),
      });
      return entries.map((pairs) => new Map(pairs));
    }
    case "struct":
      return fc.record(
        Object.fromEntries((desc.fields ?? []).map((field) => [field.name, valueArbitrary(field.type)])),
      );
    default: {
      const signed = kind.startsWith("int");
      return integer(Number(kind.replace(/\D+/, "")), signed);
    }
  }
}

/** A type that another version of a program might have in the place of this one; the numbers decide what changes. */
export function evolve(desc: Desc, next: () => number): Desc {
  const chance = (percent: number): boolean => next() % 100 < percent;
  const inner = (of: Desc): Desc => evolve(of, next);
  switch (desc.kind) {
    case "slice":
      return { ...desc, elem: inner(desc.elem!) };
    case "array":
      return { ...desc, elem: inner(desc.elem!), len: chance(5) ? 4 : (desc.len ?? 0) };
    case "map":
      return { ...desc, elem: inner(desc.elem!) };
    case "ptr":
      // Scalars only: nil maps in what did not arrive would come back from Go as empty ones.
      if (chance(40) && desc.elem!.elem === undefined && desc.elem!.fields === undefined)
        return inner(desc.elem!);
      return { ...desc, elem: inner(desc.elem!) };
    case "struct": {
      const kept = (desc.fields ?? []).filter(() => !chance(20));
      const fields = kept.map(({ name, type }) => ({ name, type: inner(type) }));
      if (chance(30)) fields.reverse();
      if (chance(30)) fields.push({ name: "Added", type: { kind: "string" } });
      return fields.length === 0 ? desc : { ...desc, fields };
    }
    default: {
      // Not floats: what underflows becomes a pointer to zero, which does not come back from Go.
      const family = /^u?int/.exec(desc.kind)?.[0];
      if (family === undefined || !chance(30)) return desc;
      const others = SCALARS.filter((kind) => kind.replace(/(ptr|\d+)$/, "") === family);
      return { kind: others[next() % others.length]! };
    }
  }
}
