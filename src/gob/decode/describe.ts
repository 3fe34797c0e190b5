import { within } from "../errors.js";
import type { Complex } from "../schema/scalars.js";
import { badField, corrupt, messageEnded } from "../wire/reader.js";
import type { WireType } from "../wire/wire-type.js";
import { integerOp } from "./leaves.js";
import { mismatch } from "./mismatch.js";
import { interfaceName, type StreamReader, sliceTooShort } from "./skip.js";

/** The payload of a type that marshals itself, which only that type's own code can read. */
export class Opaque {
  /** What the type's own method wrote. */
  readonly payload: Buffer;

  /** Made by the decoder. */
  constructor(payload: Buffer) {
    this.payload = payload;
  }
}

/** A value decoded from the stream's own description of it. */
export class Described {
  /** The stream's type of the value. */
  readonly type: WireType;
  /** What was sent; see {@link DescribedValue}. */
  readonly value: DescribedValue;
  /** The concrete type's name, for what stood in an interface; else "". */
  readonly name: string;

  /** Made by the decoder. */
  constructor(type: WireType, value: DescribedValue, name: string) {
    this.type = type;
    this.value = value;
    this.name = name;
  }
}

/**
 * Integers are numbers when safe, else bigints. Structs are objects that have only the fields that were sent;
 * interfaces are null or {@link Described}.
 */
export type DescribedValue =
  | boolean
  | number
  | bigint
  | string
  | Complex
  | Buffer
  | Opaque
  | Described
  | null
  | DescribedValue[]
  | Map<DescribedValue, DescribedValue>
  | { [field: string]: DescribedValue };

const readInt = integerOp({ kind: "int", go: "int", bits: 64, form: "auto" }, "int");
const readUint = integerOp({ kind: "uint", go: "uint", bits: 64, form: "auto" }, "uint");

/** Estimated bytes of an element, to hold against the allocation limit. */
const ELEMENT = 16;

/** Decodes a value by the stream's own types. */
export function describe(r: StreamReader, id: number): DescribedValue {
  const type = r.types.get(id);
  if (type === undefined) throw corrupt(`gob: bad data: undefined type ${id}`);
  switch (type.kind) {
    case "bool":
      r.words();
      return (r.high | r.low) !== 0;
    case "int":
      return readInt(r, undefined);
    case "uint":
      return readUint(r, undefined);
    case "float":
      return r.float();
    case "complex":
      return { re: r.float(), im: r.float() };
    case "string":
      return r.string();
    case "bytes":
      return r.bytes();
    case "gobEncoder":
    case "binaryMarshaler":
    case "textMarshaler":
      return new Opaque(r.bytes());
    case "interface": {
      const name = interfaceName(r);
      if (name === "") return null;
      r.enter();
      const value = describeContent(r, r.interfaceHeader(), name);
      r.depth--;
      return value;
    }
    case "array":
    case "slice":
      return describeElements(r, type);
    case "map":
      return describeMap(r, type);
    case "struct":
      return describeStruct(r, type);
    case "unknown":
      throw corrupt(`gob: bad data: ignore can't handle type ${id}`);
  }
}

/** A value as it stands at top level or in an interface. */
export function describeContent(r: StreamReader, id: number, name: string): Described {
  const type = r.types.get(id);
  if (type === undefined) throw corrupt(`gob: bad data: undefined type ${id}`);
  if (type.kind !== "struct") r.singleton();
  return new Described(type, describe(r, id), name);
}

function describeElements(r: StreamReader, type: WireType): DescribedValue[] {
  const n = r.uint();
  if (type.kind === "array" && n !== type.length) throw corrupt("gob: length mismatch in decodeArray");
  const values: DescribedValue[] = [];
  r.enter();
  try {
    for (let i = 0; i < n; i++) {
      if (r.pos >= r.end) throw sliceTooShort(n);
      r.charge(ELEMENT);
      values.push(describe(r, type.elem));
    }
  } catch (error) {
    throw within(`[${values.length}]`, error);
  }
  r.depth--;
  return values;
}

function describeMap(r: StreamReader, type: WireType): Map<DescribedValue, DescribedValue> {
  const n = r.uint();
  const map = new Map<DescribedValue, DescribedValue>();
  r.enter();
  for (let i = 0; i < n; i++) {
    if (r.pos >= r.end) throw messageEnded();
    r.charge(ELEMENT * 4);
    const key = describe(r, type.key);
    if (Number.isNaN(key) && map.has(key))
      throw mismatch("gob: map has several NaN keys, which a JavaScript Map cannot hold");
    map.set(key, describe(r, type.elem));
  }
  r.depth--;
  return map;
}

function describeStruct(r: StreamReader, type: WireType): { [field: string]: DescribedValue } {
  const object: { [field: string]: DescribedValue } = {};
  r.enter();
  let field = -1;
  try {
    while (r.pos < r.end) {
      const delta = r.uint();
      if (delta === 0) break;
      if (delta >= type.fields.length - field) throw badField();
      field += delta;
      const { name, id } = type.fields[field]!;
      r.charge(ELEMENT);
      const value = describe(r, id);
      // A field may be called __proto__, and assignment would set the prototype.
      Object.defineProperty(object, name, { value, enumerable: true, writable: true, configurable: true });
    }
  } catch (error) {
    throw within(field < 0 ? "" : `.${type.fields[field]!.name}`, error);
  }
  r.depth--;
  return object;
}
