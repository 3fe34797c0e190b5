import {
  BUILTIN_IDS,
  type BuiltinKind,
  DEFINED_KINDS,
  type DefinedKind,
  LEAST_DEFINED_ID,
  type WireKind,
} from "./kinds.js";
import { badField, corrupt, type Reader } from "./reader.js";

/** A type of a stream, as data: what Go's wireType holds. Ids refer to other types of the same stream. */
export interface WireType {
  /** By which the stream refers to it: below 64 for builtin types. */
  readonly id: number;
  /** What kind of type it is. */
  readonly kind: WireKind;
  /** CommonType.Name: often empty, never to be relied on. */
  readonly name: string;
  /** CommonType.Id: normally `id`. */
  readonly commonId: number;
  /** Element type of an array, slice or map. */
  readonly elem: number;
  /** Key type of a map. */
  readonly key: number;
  /** Length of an array. */
  readonly length: number;
  /** Fields of a struct, in order; empty for other kinds. */
  readonly fields: readonly WireField[];
}

/** A field of a struct type. */
export interface WireField {
  /** The field's name in Go. */
  readonly name: string;
  /** The id of its type. */
  readonly id: number;
}

const NO_FIELDS: readonly WireField[] = [];

function plain(
  id: number,
  kind: WireKind,
  name: string,
  fields: readonly WireField[] = NO_FIELDS,
  elem = 0,
): WireType {
  return { id, kind, name, commonId: id, elem, key: 0, length: 0, fields };
}

/** The types of doc.go that every stream knows without definitions. */
const BUILTIN = new Map<number, WireType>(
  [
    ...Object.entries(BUILTIN_IDS).map(([kind, id]) => plain(id, kind as BuiltinKind, kind)),
    plain(16, "struct", "wireType", [
      { name: "ArrayT", id: 17 },
      { name: "SliceT", id: 19 },
      { name: "StructT", id: 20 },
      { name: "MapT", id: 23 },
      { name: "GobEncoderT", id: 24 },
      { name: "BinaryMarshalerT", id: 24 },
      { name: "TextMarshalerT", id: 24 },
    ]),
    plain(17, "struct", "arrayType", [
      { name: "CommonType", id: 18 },
      { name: "Elem", id: 2 },
      { name: "Len", id: 2 },
    ]),
    plain(18, "struct", "CommonType", [
      { name: "Name", id: 6 },
      { name: "Id", id: 2 },
    ]),
    plain(19, "struct", "sliceType", [
      { name: "CommonType", id: 18 },
      { name: "Elem", id: 2 },
    ]),
    plain(20, "struct", "structType", [
      { name: "CommonType", id: 18 },
      { name: "Field", id: 22 },
    ]),
    plain(21, "struct", "fieldType", [
      { name: "Name", id: 6 },
      { name: "Id", id: 2 },
    ]),
    plain(22, "slice", "[]fieldType", NO_FIELDS, 21),
    plain(23, "struct", "mapType", [
      { name: "CommonType", id: 18 },
      { name: "Key", id: 2 },
      { name: "Elem", id: 2 },
    ]),
    plain(24, "struct", "gobEncoderType", [{ name: "CommonType", id: 18 }]),
  ].map((type) => [type.id, type]),
);

/** Types of more parts than this are compiled for their stream alone. */
const MAX_SHAPE = 500;

/** The types that a stream has defined so far. */
export class WireTypes {
  readonly #defined = new Map<number, WireType>();
  readonly #order: number[] = [];
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  get(id: number): WireType | undefined {
    return id < LEAST_DEFINED_ID ? BUILTIN.get(id) : this.#defined.get(id);
  }

  /** How many are defined: a mark for `reset`. */
  get size(): number {
    return this.#order.length;
  }

  /** Forgets what was defined since the mark. */
  reset(size: number): void {
    while (this.#order.length > size) this.#defined.delete(this.#order.pop()!);
  }

  /**
   * What a value of this type looks like, whatever the ids are: equal for types of other streams that are decoded in
   * the same way. Undefined when it would be very long.
   */
  shape(id: number): string | undefined {
    const numbers = new Map<number, number>();
    const parts: string[] = [];
    const visit = (at: number): string => {
      if (at < LEAST_DEFINED_ID) return String(at);
      const seen = numbers.get(at);
      if (seen !== undefined) return `#${seen}`;
      const number = numbers.size;
      if (number >= MAX_SHAPE) return "";
      numbers.set(at, number);
      const type = this.get(at);
      let text = "?";
      if (type !== undefined) {
        text = `${type.kind} ${type.length}`;
        if (type.key !== 0) text += ` k${visit(type.key)}`;
        if (type.elem !== 0) text += ` e${visit(type.elem)}`;
        for (const field of type.fields) text += ` ${field.name.length}:${field.name} ${visit(field.id)}`;
      }
      parts.push(`${number}=${text}`);
      return `#${number}`;
    };
    const root = visit(id);
    return numbers.size >= MAX_SHAPE ? undefined : `${root};${parts.join(";")}`;
  }

  /** A table of this type and those that it refers to, which later definitions do not reach. */
  snapshot(id: number): WireTypes {
    const copy = new WireTypes(this.#max);
    const visit = (at: number): void => {
      const type = at < LEAST_DEFINED_ID ? undefined : this.#defined.get(at);
      if (type === undefined || copy.#defined.has(at)) return;
      copy.#defined.set(at, type);
      visit(type.elem);
      visit(type.key);
      for (const field of type.fields) visit(field.id);
    };
    visit(id);
    return copy;
  }

  /** In order of arrival. */
  list(): WireType[] {
    return this.#order.map((id) => this.#defined.get(id)!);
  }

  /** Reads the definition of a type; the id has been read. */
  define(id: number, r: Reader): void {
    if (id < LEAST_DEFINED_ID || this.#defined.has(id)) throw corrupt("gob: duplicate type received");
    if (this.#order.length >= this.#max) throw corrupt(`gob: more than ${this.#max} types in one stream`);
    const type = readWireType(id, r);
    this.#defined.set(id, type);
    this.#order.push(id);
  }
}

/** Calls `read` for each field of a struct value, with its number. */
function eachField(r: Reader, count: number, read: (field: number) => void): void {
  let field = -1;
  while (r.pos < r.end) {
    const delta = r.uint();
    if (delta === 0) return;
    if (delta >= count - field) throw badField();
    field += delta;
    read(field);
  }
}

function readId(r: Reader): number {
  const id = r.int();
  if (id < -0x80000000 || id > 0x7fffffff) throw corrupt('value for "Id" out of range');
  return id;
}

function readWireType(id: number, r: Reader): WireType {
  let type = plain(id, "unknown", "");
  eachField(r, DEFINED_KINDS.length, (kind) => {
    if (type.kind !== "unknown") throw corrupt("gob: bad data: a type of two kinds");
    type = readDefinition(id, DEFINED_KINDS[kind]!, r);
  });
  return type;
}

/** Which of its own fields a definition of a kind has behind CommonType. */
const PARTS: Partial<Record<DefinedKind, readonly ("elem" | "length" | "key" | "fields")[]>> = {
  array: ["elem", "length"],
  slice: ["elem"],
  struct: ["fields"],
  map: ["key", "elem"],
};

function readDefinition(id: number, kind: DefinedKind, r: Reader): WireType {
  const parts = PARTS[kind] ?? [];
  const type = { id, kind, name: "", commonId: 0, elem: 0, key: 0, length: 0, fields: NO_FIELDS };
  eachField(r, parts.length + 1, (field) => {
    if (field === 0) {
      eachField(r, 2, (part) => {
        if (part === 0) type.name = r.string();
        else type.commonId = readId(r);
      });
      return;
    }
    const part = parts[field - 1]!;
    if (part === "fields") type.fields = readFields(r);
    else if (part === "length") type.length = r.int();
    else type[part] = readId(r);
  });
  return type;
}

function readFields(r: Reader): WireField[] {
  const count = r.uint();
  // Every field takes a byte at least, so that a count beyond the bytes is a lie.
  if (count > r.end - r.pos) throw corrupt(`gob: []fieldType slice too big: ${count} elements`);
  const fields: WireField[] = [];
  for (let i = 0; i < count; i++) {
    if (r.pos >= r.end)
      throw corrupt(`gob: decoding array or slice: length exceeds input size (${count} elements)`);
    const field = { name: "", id: 0 };
    eachField(r, 2, (part) => {
      if (part === 0) field.name = r.string();
      else field.id = readId(r);
    });
    fields.push(field);
  }
  return fields;
}

/** Go's spelling of a remote type in error texts. */
export function wireText(types: WireTypes, id: number, seen: Set<number> = new Set()): string {
  const type = types.get(id);
  if (type === undefined || type.kind === "unknown") return type?.name || "unknown type";
  if (seen.has(id) || seen.size > 100) return type.name;
  seen.add(id);
  switch (type.kind) {
    case "array":
      return `[${type.length}]${wireText(types, type.elem, seen)}`;
    case "slice":
      return `[]${wireText(types, type.elem, seen)}`;
    case "map":
      return `map[${wireText(types, type.key, seen)}]${wireText(types, type.elem, seen)}`;
    case "struct":
      return `${type.name} = struct { ${type.fields.map((f) => `${f.name} ${wireText(types, f.id, seen)}; `).join("")}}`;
    default:
      return type.name;
  }
}
