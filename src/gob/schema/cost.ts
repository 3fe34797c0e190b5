// What values take of memory, to hold against the decoder's limit: bytes on 64-bit V8, rounded up.
import { type AnySchema, resolve } from "./schema.js";

const SLOT = 8;
const ARRAY = 32;
const MAP = 192;
const BUFFER = 192;
const COMPLEX = 72;
const BIGINT = 24;
/** A string's head; its characters are paid for by their bytes on the wire. */
const STRING = 24;
/** A number that does not fit into a slot. */
const NUMBER = 16;
/** A type that marshals itself: its payload and what its own code makes of it. */
const CUSTOM = 2 * BUFFER;
/** An interface value beside its content: what is remembered of its type. */
const INTERFACE = 128;
/** An entry of a Map, with the room that Maps keep free. */
const ENTRY = 64;
/** Objects with more fields are hash tables in V8. */
const MAX_FAST_FIELDS = 1019;
const TABLE_FIELD = 64;

function objectCost(fields: number): number {
  return 24 + SLOT * Math.max(fields, 4) + (fields > MAX_FAST_FIELDS ? TABLE_FIELD * fields : 0);
}

const zeroCosts = new WeakMap<AnySchema, number>();

/** What a zero value takes beside its slot. */
function zeroCost(schema: AnySchema): number {
  const at = resolve(schema);
  let cost = zeroCosts.get(at);
  if (cost === undefined) {
    // For a struct that contains itself, which has no zero value; zeroMaker says so.
    zeroCosts.set(at, 0);
    cost = measureZero(at);
    zeroCosts.set(at, cost);
  }
  return cost;
}

function measureZero(schema: AnySchema): number {
  const { node } = schema;
  switch (node.kind) {
    case "complex":
      return COMPLEX;
    case "string":
      return node.raw ? BUFFER : 0;
    case "bytes":
      return BUFFER;
    case "slice":
      return ARRAY;
    case "array":
      return ARRAY + node.length * (SLOT + zeroCost(node.elem));
    case "map":
      return node.nilable ? 0 : MAP;
    case "struct":
      return structCost(schema);
    case "custom":
      return CUSTOM;
    default:
      return 0;
  }
}

/** What reading a value takes beside its slot, as far as reading it does not charge for itself. */
function leafCost(schema: AnySchema): number {
  const { node } = resolve(schema);
  switch (node.kind) {
    case "int":
    case "uint":
      return node.form === "number" ? NUMBER : BIGINT;
    case "float":
      return NUMBER;
    case "complex":
      return COMPLEX;
    case "string":
      return node.raw ? BUFFER : STRING;
    case "bytes":
      return BUFFER;
    case "custom":
      return CUSTOM;
    case "interface":
      return INTERFACE;
    case "pointer":
      return leafCost(node.elem);
    default:
      return 0;
  }
}

const structCosts = new WeakMap<AnySchema, number>();

/** What a struct takes with all of its fields, whether they arrive or are made as zeros. */
export function structCost(schema: AnySchema): number {
  const at = resolve(schema);
  let cost = structCosts.get(at);
  if (cost === undefined) {
    const { node } = at;
    const fields = node.kind === "struct" ? node.fields : [];
    structCosts.set(at, 0);
    cost = fields.reduce(
      (sum, [, of]) => sum + Math.max(zeroCost(of), leafCost(of)),
      objectCost(fields.length),
    );
    structCosts.set(at, cost);
  }
  return cost;
}

/** What each element of a slice or array takes as it is read, its slot included. */
export function elementCost(schema: AnySchema): number {
  return SLOT + leafCost(schema);
}

/** What an array takes beside its elements. */
export const ARRAY_COST = ARRAY;
/** What a Map takes beside its entries. */
export const MAP_COST = MAP;

/** What each entry of a Map takes as it is read. */
export function entryCost(key: AnySchema, elem: AnySchema): number {
  return ENTRY + leafCost(key) + leafCost(elem);
}
