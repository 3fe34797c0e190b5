import { Fault, GobError, keyStep, within } from "../errors.js";
import { goText } from "../schema/go-type.js";
import { canBeText, isPlainObject } from "../schema/plain-object.js";
import { keyPlacesOf, type Places, placesOf } from "../schema/remember.js";
import { type AnySchema, hasArrivals, resolve } from "../schema/schema.js";
import { zeroMaker } from "../schema/zero.js";
import type { EncodeOp, EncodeState, Encoding, OmitTest } from "./encoding.js";
import { writeInterface } from "./interface.js";
import { complexEncoding, customEncoding, integerOp, show, singlePrecision, unfit } from "./leaves.js";

const cache = new WeakMap<AnySchema, Encoding>();

const isNil = (value: unknown): boolean => value === null || value === undefined;
const never = (): boolean => false;

/** The operations of a schema, through closures; recursive schemas find themselves in the cache. */
export function encodingOf(schema: AnySchema): Encoding {
  const at = resolve(schema);
  const known = cache.get(at);
  if (known !== undefined) return known;
  const made: { write: EncodeOp; omit: OmitTest } = { write: () => {}, omit: never };
  cache.set(at, made);
  const built = build(at);
  made.write = built.write;
  made.omit = built.omit;
  return made;
}

function build(schema: AnySchema): Encoding {
  const { node } = schema;
  switch (node.kind) {
    case "bool":
      return {
        write: (w, v) => {
          if (typeof v !== "boolean") throw unfit(v, schema);
          w.uint(v ? 1 : 0);
        },
        omit: (v) => v === undefined || v === false,
      };
    case "int":
    case "uint":
      return { write: integerOp(schema, node), omit: (v) => v === undefined || v === 0 || v === 0n };
    case "float": {
      const { single } = node;
      return {
        write: (w, v) => {
          if (typeof v !== "number") throw unfit(v, schema);
          w.float(single ? singlePrecision(v) : v);
        },
        omit: (v) => v === undefined || v === 0,
      };
    }
    case "complex":
      return complexEncoding(schema, node.single);
    case "string":
      return node.raw
        ? {
            write: (w, v) => {
              if (typeof v === "string") w.string(v);
              else if (v instanceof Uint8Array) w.bytes(v);
              else throw unfit(v, schema);
            },
            omit: (v) => v === undefined || (v as { length?: number } | null)?.length === 0,
          }
        : {
            write: (w, v) => {
              if (typeof v !== "string") throw unfit(v, schema);
              w.string(v, node.lenient ? "replace" : undefined);
            },
            omit: (v) => v === undefined || v === "",
          };
    case "bytes":
      return {
        write: (w, v) => {
          if (v instanceof Uint8Array) w.bytes(v);
          else if (v === null) w.uint(0);
          else throw unfit(v, schema);
        },
        omit: (v) => isNil(v) || (v as Uint8Array).length === 0,
      };
    case "slice": {
      const elements = elementsOp(schema, node.elem);
      return {
        write: (w, v) => {
          if (v === null) w.uint(0);
          else elements(w, v);
        },
        omit: (v) => isNil(v) || (v as unknown[]).length === 0,
      };
    }
    case "array": {
      const zeroOf = zeroMaker(schema);
      const elements = elementsOp(schema, node.elem);
      return {
        write: (w, v) => {
          const values = v === undefined ? zeroOf() : v;
          if ((values as unknown[] | null)?.length !== node.length)
            throw new Fault(
              "ERR_GOB_VALUE",
              `gob: ${goText(schema)} needs an array of ${node.length} elements, not ${Array.isArray(v) ? `one of ${v.length}` : show(v)}`,
            );
          elements(w, values);
        },
        omit: never,
      };
    }
    case "map":
      return mapEncoding(schema, node.key, node.elem);
    case "struct":
      return { write: structOp(schema, node.fields), omit: never };
    case "pointer": {
      const inner = encodingOf(node.elem);
      const custom = resolve(node.elem).node.kind === "custom";
      return {
        write: (w, v) => {
          if (isNil(v))
            throw new Fault("ERR_GOB_VALUE", `gob: cannot encode nil pointer of type ${goText(schema)}`);
          inner.write(w, v);
        },
        // Go looks through the pointer for a zero, but a type that marshals itself is zero only when the pointer is nil.
        omit: (v) => isNil(v) || (!custom && inner.omit(v)),
      };
    }
    case "interface":
      return { write: (w, v) => writeInterface(w, v, undefined), omit: isNil };
    case "custom":
      return customEncoding(node);
    case "lazy":
      throw new GobError("ERR_GOB_SCHEMA", "gob: a schema that refers to itself only");
  }
}

function elementsOp(schema: AnySchema, elem: AnySchema): EncodeOp {
  const inner = encodingOf(elem);
  const pointer = resolve(elem).node.kind === "pointer";
  const arrivals = hasArrivals(elem);
  return (w, v) => {
    if (!Array.isArray(v)) throw unfit(v, schema);
    const places = arrivals ? placesOf(v) : undefined;
    w.uint(v.length);
    w.enter();
    let i = 0;
    try {
      for (; i < v.length; i++) {
        const value = v[i];
        if (pointer && isNil(value)) throw new Fault("ERR_GOB_VALUE", "gob: encodeArray: nil element");
        if (value === undefined) throw unfit(value, elem);
        if (places === undefined) inner.write(w, value);
        else writeInterface(w, value, places.typeAt(i, value));
      }
    } catch (error) {
      throw within(`[${i}]`, error);
    }
    w.depth--;
  };
}

function mapEncoding(schema: AnySchema, key: AnySchema, elem: AnySchema): Encoding {
  const keys = encodingOf(key);
  const elems = encodingOf(elem);
  const textKeys = canBeText(key);
  const nilable = new Set([key, elem].filter((of) => resolve(of).node.kind === "pointer"));
  const keyArrivals = hasArrivals(key);
  const arrivals = hasArrivals(elem);
  const entry = (
    w: EncodeState,
    k: unknown,
    v: unknown,
    keyPlaces: Places | undefined,
    places: Places | undefined,
  ): void => {
    try {
      if ((nilable.has(key) && isNil(k)) || (nilable.has(elem) && isNil(v)))
        throw new Fault("ERR_GOB_VALUE", "gob: encodeReflectValue: nil element");
      if (v === undefined) throw unfit(v, elem);
      if (keyPlaces === undefined) keys.write(w, k);
      else writeInterface(w, k, keyPlaces.typeAt(k, k));
      if (places === undefined) elems.write(w, v);
      else writeInterface(w, v, places.typeAt(k, v));
    } catch (error) {
      throw within(keyStep(k), error);
    }
  };
  return {
    write: (w, v) => {
      if (v === null) {
        w.uint(0);
        return;
      }
      w.enter();
      const keyPlaces = keyArrivals ? keyPlacesOf(v) : undefined;
      const places = arrivals ? placesOf(v) : undefined;
      if (v instanceof Map) {
        w.uint(v.size);
        for (const [k, of] of v) entry(w, k, of, keyPlaces, places);
      } else if (textKeys && isPlainObject(v)) {
        const names = Object.keys(v);
        w.uint(names.length);
        for (const name of names) entry(w, name, v[name], keyPlaces, places);
      } else throw unfit(v, schema);
      w.depth--;
    },
    omit: isNil,
  };
}

function structOp(schema: AnySchema, fields: readonly (readonly [string, AnySchema])[]): EncodeOp {
  const encodings = fields.map(([name, of]) => ({ name, arrivals: hasArrivals(of), ...delegate(of) }));
  const arrivals = encodings.some((field) => field.arrivals);
  return (w, v) => {
    if (v !== undefined && (typeof v !== "object" || v === null || Array.isArray(v) || v instanceof Map))
      throw unfit(v, schema);
    const object = (v ?? {}) as Record<string, unknown>;
    const places = arrivals ? placesOf(object) : undefined;
    w.enter();
    let last = -1;
    let i = 0;
    try {
      for (; i < encodings.length; i++) {
        const field = encodings[i]!;
        const value = object[field.name];
        if (field.omit(value)) continue;
        w.uint(i - last);
        last = i;
        if (places === undefined || !field.arrivals) field.write(w, value);
        else writeInterface(w, value, places.typeAt(field.name, value));
      }
    } catch (error) {
      throw within(`.${encodings[i]!.name}`, error);
    }
    w.uint(0);
    w.depth--;
  };
}

/** A field's operations, looked up late: in a recursive schema they may not be built yet. */
function delegate(of: AnySchema): Encoding {
  const encoding = encodingOf(of);
  return { write: (w, v) => encoding.write(w, v), omit: (v) => encoding.omit(v) };
}
