import { keyStep, within } from "../errors.js";
import { ARRAY_COST, entryCost, MAP_COST } from "../schema/cost.js";
import { isPlainObject } from "../schema/plain-object.js";
import {
  forgetElements,
  rememberElements,
  rememberKeys,
  rememberPlace,
  rememberPlaces,
} from "../schema/remember.js";
import { type AnySchema, hasArrivals, type MapNode } from "../schema/schema.js";
import { badField, corrupt, messageEnded } from "../wire/reader.js";
import type { WireTypes } from "../wire/wire-type.js";
import type { DecodeOp } from "./decoding.js";
import { mergeMap } from "./merge.js";
import { mismatch } from "./mismatch.js";
import { skipValue, sliceTooShort } from "./skip.js";

// The operations that decode structs, slices, arrays and maps, made of those of their parts.

/** A field of a struct in the stream. */
export interface FieldOp {
  readonly name: string;
  /** Undefined for a field that the schema has not. */
  readonly op: DecodeOp | undefined;
  readonly id: number;
  readonly arrives: boolean;
}

export function structOp(
  fields: readonly FieldOp[],
  zero: () => Record<string, unknown>,
  cost: number,
  types: WireTypes,
): DecodeOp {
  return (r, into) => {
    r.enter();
    const merging = typeof into === "object" && into !== null;
    if (!merging) r.charge(cost);
    const object = merging ? (into as Record<string, unknown>) : zero();
    let field = -1;
    try {
      while (r.pos < r.end) {
        const delta = r.uint();
        if (delta === 0) break;
        if (delta >= fields.length - field) throw badField();
        field += delta;
        const { name, op, id, arrives } = fields[field]!;
        if (op === undefined) skipValue(r, id, types);
        else object[name] = op(r, merging ? object[name] : undefined);
        if (arrives && (merging || r.arrived !== undefined)) rememberPlace(object, name, r.arrived);
      }
    } catch (error) {
      throw within(field < 0 ? "" : `.${fields[field]!.name}`, error);
    }
    r.depth--;
    return object;
  };
}

export function sliceOp(elem: DecodeOp, cost: number, arrives: boolean): DecodeOp {
  return (r, into) => {
    const n = r.uint();
    r.charge(ARRAY_COST);
    // Go reuses the elements of a slice whose capacity suffices, and so merges into them.
    const reused = Array.isArray(into) && into.length >= n ? (into as unknown[]) : undefined;
    const values = reused ?? [];
    values.length = reused === undefined ? 0 : n;
    const types: (AnySchema | undefined)[] | undefined = arrives ? [] : undefined;
    r.enter();
    let i = 0;
    try {
      for (; i < n; i++) {
        if (r.pos >= r.end) throw sliceTooShort(n);
        r.charge(cost);
        if (reused === undefined) values.push(elem(r, undefined));
        else values[i] = elem(r, values[i]);
        types?.push(r.arrived);
      }
    } catch (error) {
      throw within(`[${i}]`, error);
    }
    r.depth--;
    if (types !== undefined) rememberAll(values, types, reused !== undefined);
    return values;
  };
}

export function arrayOp(elem: DecodeOp, length: number, cost: number, arrives: boolean): DecodeOp {
  return (r, into) => {
    if (r.uint() !== length) throw corrupt("gob: length mismatch in decodeArray");
    r.charge(ARRAY_COST);
    const merging = Array.isArray(into) && into.length === length;
    const values: unknown[] = merging ? into : [];
    const types: (AnySchema | undefined)[] | undefined = arrives ? [] : undefined;
    r.enter();
    let i = 0;
    try {
      for (; i < length; i++) {
        if (r.pos >= r.end) throw sliceTooShort(length);
        r.charge(cost);
        if (merging) values[i] = elem(r, values[i]);
        else values.push(elem(r, undefined));
        types?.push(r.arrived);
      }
    } catch (error) {
      throw within(`[${i}]`, error);
    }
    r.depth--;
    if (types !== undefined) rememberAll(values, types, merging);
    return values;
  };
}

function rememberAll(values: unknown[], types: (AnySchema | undefined)[], again: boolean): void {
  if (types.some((type) => type !== undefined)) rememberElements(values, types);
  else if (again) forgetElements(values);
}

export function mapOp(key: DecodeOp, elem: DecodeOp, node: MapNode): DecodeOp {
  const cost = entryCost(node.key, node.elem);
  const keysArrive = hasArrivals(node.key);
  const elemsArrive = hasArrivals(node.elem);
  return (r, into) => {
    const n = r.uint();
    r.charge(MAP_COST);
    const map = new Map<unknown, unknown>();
    const keyTypes = new Map<unknown, AnySchema>();
    const types = new Map<unknown, AnySchema>();
    r.enter();
    let k: unknown;
    try {
      for (let i = 0; i < n; i++) {
        if (r.pos >= r.end) throw messageEnded();
        r.charge(cost);
        k = undefined;
        k = key(r, undefined);
        if (map.has(k)) checkSecond(k, keysArrive);
        if (keysArrive && r.arrived !== undefined) keyTypes.set(k, r.arrived);
        map.set(k, elem(r, undefined));
        if (elemsArrive && r.arrived !== undefined) types.set(k, r.arrived);
      }
    } catch (error) {
      throw within(keyStep(k), error);
    }
    r.depth--;
    if (into instanceof Map) return mergeMap(node, into, map, keyTypes, types);
    if (isPlainObject(into)) return mergeMap(node, new Map(Object.entries(into)), map, keyTypes, types);
    if (keyTypes.size > 0) rememberKeys(map, keyTypes);
    if (types.size > 0) rememberPlaces(map, types);
    return map;
  };
}

/** Some of Go's keys are different and become one in JavaScript. Others are the same in Go, too, where the last one wins. */
function checkSecond(key: unknown, anyType: boolean): void {
  if (Number.isNaN(key)) throw mismatch("gob: map has several NaN keys, which a JavaScript Map cannot hold");
  if (anyType)
    throw mismatch(
      "gob: map has two keys of different types that are one key in a JavaScript Map: use typedAny",
    );
}
