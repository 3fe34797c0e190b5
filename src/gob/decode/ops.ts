import { canGenerate } from "../codegen.js";
import { Fault, keyStep, within } from "../errors.js";
import { ARRAY_COST, elementCost, entryCost, MAP_COST, structCost } from "../schema/cost.js";
import { goText, goTypeOf } from "../schema/go-type.js";
import { isPlainObject } from "../schema/plain-object.js";
import {
  forgetElements,
  rememberElements,
  rememberKeys,
  rememberPlace,
  rememberPlaces,
} from "../schema/remember.js";
import { type AnySchema, base, hasArrivals, type MapNode, type StructNode } from "../schema/schema.js";
import { zeroMaker } from "../schema/zero.js";
import { badField, corrupt, messageEnded } from "../wire/reader.js";
import { type WireType, type WireTypes, wireText } from "../wire/wire-type.js";
import { compatible } from "./compat.js";
import type { DecodeOp, Decoding } from "./decoding.js";
import { generateDecode } from "./generate.js";
import { customOp, integerOp, interfaceOp, single } from "./leaves.js";
import { mergeMap } from "./merge.js";
import { skipValue, sliceTooShort } from "./skip.js";

function mismatch(text: string, detail?: string): Fault {
  return new Fault("ERR_GOB_MISMATCH", text, detail === undefined ? {} : { detail });
}

/** Builds the operations for one pair of schema and remote type; recursive pairs find themselves in `made`. */
class Builder {
  readonly #types: WireTypes;
  readonly #made = new Map<AnySchema, Map<number, { op: DecodeOp }>>();

  constructor(types: WireTypes) {
    this.#types = types;
  }

  /** `name` is what Go's overflow errors call the place. */
  op(schema: AnySchema, id: number, name: string): DecodeOp {
    const of = base(schema);
    const { node } = of;
    switch (node.kind) {
      case "bool":
        return (r) => {
          r.words();
          return (r.high | r.low) !== 0;
        };
      case "int":
      case "uint":
        return integerOp(node, name);
      case "float":
        return node.single ? (r) => single(r.float(), name) : (r) => r.float();
      case "complex":
        return node.single
          ? (r) => ({ re: single(r.float(), name), im: single(r.float(), name) })
          : (r) => ({ re: r.float(), im: r.float() });
      case "string":
        if (node.lenient) return (r) => r.string("replace");
        return node.raw ? (r) => r.bytes() : (r) => r.string();
      case "bytes":
        return (r) => r.bytes();
      case "interface":
        return interfaceOp(node.typed);
      case "custom":
        return customOp(node);
    }
    // Composite: recursive types must find the operation that is being built.
    let byId = this.#made.get(of);
    if (byId === undefined) {
      byId = new Map();
      this.#made.set(of, byId);
    }
    let slot = byId.get(id);
    if (slot === undefined) {
      slot = { op: () => undefined };
      byId.set(id, slot);
      slot.op = this.#composite(of, id, name);
    }
    const known = slot;
    return (r, into) => known.op(r, into);
  }

  #composite(schema: AnySchema, id: number, name: string): DecodeOp {
    const { node } = schema;
    const type = this.#types.get(id);
    if (type === undefined) throw corrupt("gob: unknown type id or corrupted data");
    switch (node.kind) {
      case "slice":
        return sliceOp(
          this.op(node.elem, type.elem, `element of ${name}`),
          elementCost(node.elem),
          hasArrivals(node.elem),
        );
      case "array":
        return arrayOp(
          this.op(node.elem, type.elem, `element of ${name}`),
          node.length,
          elementCost(node.elem),
          hasArrivals(node.elem),
        );
      case "map":
        return mapOp(
          this.op(node.key, type.key, `key of ${name}`),
          this.op(node.elem, type.elem, `element of ${name}`),
          node,
        );
      case "struct":
        return this.#struct(schema, node.fields, id);
      default:
        throw corrupt(`gob: decode can't handle type ${goText(schema)}`);
    }
  }

  #struct(schema: AnySchema, fields: readonly (readonly [string, AnySchema])[], id: number): DecodeOp {
    const type = this.#types.get(id)!;
    if (type.kind !== "struct")
      throw mismatch(`gob: type mismatch in decoder: want struct type ${goText(schema)}; got non-struct`);
    const local = new Map(fields);
    const ops = type.fields.map((field) => {
      if (field.name === "") throw corrupt(`gob: empty name for remote field of type ${type.name}`);
      const of = local.get(field.name);
      if (of === undefined) return { name: field.name, op: undefined, id: field.id, arrives: false };
      if (!compatible(of, field.id, this.#types)) {
        const fault = mismatch(
          `gob: wrong type (${goText(of)}) for received field ${type.name}.${field.name}`,
          `the stream has ${wireText(this.#types, field.id)}`,
        );
        throw within(`.${field.name}`, fault);
      }
      const op = this.op(of, field.id, field.name);
      return { name: field.name, op, id: field.id, arrives: hasArrivals(of) };
    });
    return structOp(ops, zeroMaker(schema) as () => Record<string, unknown>, structCost(schema), this.#types);
  }
}

interface FieldOp {
  readonly name: string;
  /** Undefined for a field that the schema has not. */
  readonly op: DecodeOp | undefined;
  readonly id: number;
  readonly arrives: boolean;
}

function structOp(
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

function sliceOp(elem: DecodeOp, cost: number, arrives: boolean): DecodeOp {
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

function arrayOp(elem: DecodeOp, length: number, cost: number, arrives: boolean): DecodeOp {
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

function mapOp(key: DecodeOp, elem: DecodeOp, node: MapNode): DecodeOp {
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

/** Go's compileDec (decode.go). `types` must not change afterwards: the operations may serve other streams, too. */
export function buildDecode(schema: AnySchema, id: number, types: WireTypes): Decoding {
  const of = base(schema);
  // Go is given a pointer to what it decodes into, and its error texts say so.
  const name = `*${goText(schema)}`;
  const builder = new Builder(types);
  if (of.node.kind !== "struct") {
    checkSingle(of, id, types, name);
    const op = builder.op(of, id, name);
    const single = (inner: DecodeOp): DecodeOp => {
      return (r, into) => {
        r.singleton();
        return inner(r, into);
      };
    };
    const exact = single(op);
    return {
      fast: canGenerate() && isComposite(of) ? single(generate(of, id, types, builder)) : exact,
      exact,
    };
  }
  const type = types.get(id);
  if (type === undefined) throw corrupt("gob: unknown type id or corrupted data");
  const op = builder.op(of, id, name);
  checkFields(of, of.node.fields, type);
  return { fast: canGenerate() ? generate(of, id, types, builder) : op, exact: op };
}

function isComposite(schema: AnySchema): boolean {
  return ["slice", "array", "map"].includes(schema.node.kind);
}

function generate(schema: AnySchema, id: number, types: WireTypes, builder: Builder): DecodeOp {
  return generateDecode(schema, id, types, (of, inner, name) => builder.op(of, inner, name));
}

function checkSingle(schema: AnySchema, id: number, types: WireTypes, name: string): void {
  if (compatible(schema, id, types)) return;
  const remote = wireText(types, id);
  throw mismatch(
    schema.node.kind === "interface"
      ? `gob: local interface type ${name} can only be decoded from remote interface type; received concrete type ${remote}`
      : `gob: decoding into local type ${name}, received remote type ${remote}`,
  );
}

/** Two structs that both have fields must have one in common. */
function checkFields(of: AnySchema, fields: StructNode["fields"], type: WireType): void {
  if (fields.length === 0 || type.fields.length === 0) return;
  const names = new Set(fields.map(([field]) => field));
  if (type.fields.some((field) => names.has(field.name))) return;
  throw mismatch(
    `gob: type mismatch: no fields matched compiling decoder for ${goTypeOf(of).name}`,
    `the stream has ${type.fields.map((field) => field.name).join(", ")}; the schema has ${[...names].join(", ")}`,
  );
}
