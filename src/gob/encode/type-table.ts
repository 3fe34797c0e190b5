import { goText, goTypeOf } from "../schema/go-type.js";
import { type AnySchema, base, type GoType, resolve } from "../schema/schema.js";
import { builtinId, definitionField, FIRST_ENCODED_ID } from "../wire/kinds.js";
import type { Writer } from "../wire/writer.js";

interface Allocated {
  id: number;
  /** CommonType.Name: set by the place where the type was first met, as Go does it. */
  readonly name: string;
  readonly type: GoType;
}

/** A position in a type table, to go back to. */
export interface TypeMark {
  readonly allocated: number;
  readonly sent: number;
  readonly nextId: number;
}

/** Tells the peer about a type: the definitions are written in Go's order, each into a message of its own. */
export type FlushSegment = () => void;

/**
 * The type ids of one stream. Ids are allocated in the order of Go's type.go (a struct before its fields, a container
 * after its element) and definitions sent in the order of its encoder.go (outer first), so that a stream
 * is byte for byte what a fresh Go program would write.
 */
export class TypeTable {
  readonly #allocated = new Map<GoType, Allocated>();
  readonly #order: GoType[] = [];
  readonly #sent = new Set<GoType>();
  readonly #sentOrder: GoType[] = [];
  #nextId = FIRST_ENCODED_ID;

  /** The present position. */
  mark(): TypeMark {
    // Most values bring no new types: the same position then serves for all of them.
    if (this.#mark === undefined)
      this.#mark = { allocated: this.#order.length, sent: this.#sentOrder.length, nextId: this.#nextId };
    return this.#mark;
  }

  #mark: TypeMark | undefined;
  #lastSchema: AnySchema | undefined;
  #lastId = 0;

  reset(mark: TypeMark): void {
    while (this.#order.length > mark.allocated) this.#allocated.delete(this.#order.pop()!);
    while (this.#sentOrder.length > mark.sent) this.#sent.delete(this.#sentOrder.pop()!);
    this.#nextId = mark.nextId;
    this.#mark = undefined;
    this.#lastSchema = undefined;
  }

  /** The id of a schema's type, after writing the definitions that the peer lacks. */
  define(schema: AnySchema, w: Writer, flush: FlushSegment): number {
    if (schema === this.#lastSchema) return this.#lastId;
    let id = builtinId(base(schema).node.kind);
    if (id === undefined) {
      const type = goTypeOf(schema);
      if (!this.#sent.has(type)) {
        this.#mark = undefined;
        this.#send(schema, type, w, flush);
      }
      id = this.#allocated.get(type)!.id;
    }
    this.#lastSchema = schema;
    this.#lastId = id;
    return id;
  }

  #allocate(schema: AnySchema, name: string): Allocated | number {
    const of = base(schema);
    const { node } = of;
    const builtin = builtinId(node.kind);
    if (builtin !== undefined) return builtin;
    const type = goTypeOf(of);
    const known = this.#allocated.get(type);
    if (known !== undefined) return known;
    const entry: Allocated = { id: 0, name, type };
    this.#allocated.set(type, entry);
    this.#order.push(type);
    switch (node.kind) {
      case "slice": {
        const elem = this.#allocate(node.elem, elementName(node.elem));
        this.#number(entry);
        // An element that is still being allocated contains this slice: it gets its id now.
        if (typeof elem === "object") this.#number(elem);
        break;
      }
      case "array":
        this.#allocate(node.elem, "");
        this.#number(entry);
        break;
      case "map":
        this.#allocate(node.key, "");
        this.#allocate(node.elem, "");
        this.#number(entry);
        break;
      case "struct":
        entry.id = this.#nextId++;
        for (const [, field] of node.fields) {
          const inner = this.#allocate(field, fieldTypeName(field));
          if (typeof inner === "object") this.#number(inner);
        }
        break;
      default:
        entry.id = this.#nextId++;
    }
    return entry;
  }

  /** Gives a type its id, unless what it contains has led to one already. */
  #number(entry: Allocated): void {
    if (entry.id === 0) entry.id = this.#nextId++;
  }

  #id(schema: AnySchema): number {
    const of = base(schema);
    return builtinId(of.node.kind) ?? this.#allocated.get(goTypeOf(of))!.id;
  }

  #send(from: AnySchema, type: GoType, w: Writer, flush: FlushSegment): void {
    const schema = base(from);
    this.#allocate(schema, type.name);
    const entry = this.#allocated.get(type)!;
    w.int(-entry.id);
    // Go gives a pointer to a type that marshals itself a type of its own, of which it sends name and inner id.
    const pointer = schema.node.kind === "custom" && resolve(from).node.kind === "pointer";
    this.#writeDefinition(schema, pointer ? { ...entry, name: "", common: this.#nextId++ } : entry, w);
    flush();
    this.#sent.add(type);
    this.#sentOrder.push(type);
    for (const child of children(schema)) {
      if (builtinId(base(child).node.kind) !== undefined) continue;
      const inner = goTypeOf(child);
      if (!this.#sent.has(inner)) this.#send(child, inner, w, flush);
    }
  }

  #writeDefinition(schema: AnySchema, entry: Allocated & { common?: number }, w: Writer): void {
    const { node } = schema;
    const { name } = entry;
    const id = entry.common ?? entry.id;
    if (node.kind === "custom") {
      w.uint(definitionField(node.marshaler));
      commonType(w, name, id);
      w.uint(0);
    } else if (node.kind === "struct") {
      w.uint(definitionField("struct"));
      commonType(w, name, id);
      if (node.fields.length > 0) {
        w.uint(1);
        w.uint(node.fields.length);
        for (const [field, of] of node.fields) {
          w.uint(1);
          w.string(field);
          w.uint(1);
          w.int(this.#id(of));
          w.uint(0);
        }
      }
      w.uint(0);
    } else if (node.kind === "map") {
      w.uint(definitionField("map"));
      commonType(w, name, id);
      w.uint(1);
      w.int(this.#id(node.key));
      w.uint(1);
      w.int(this.#id(node.elem));
      w.uint(0);
    } else if (node.kind === "slice" || node.kind === "array") {
      w.uint(definitionField(node.kind));
      commonType(w, name, id);
      w.uint(1);
      w.int(this.#id(node.elem));
      if (node.kind === "array" && node.length > 0) {
        w.uint(1);
        w.int(node.length);
      }
      w.uint(0);
    }
    w.uint(0);
  }
}

/** CommonType{Name, Id} as the first field of the definition. */
function commonType(w: Writer, name: string, id: number): void {
  w.uint(1);
  if (name !== "") {
    w.uint(1);
    w.string(name);
    w.uint(1);
  } else w.uint(2);
  w.int(id);
  w.uint(0);
}

function children(schema: AnySchema): AnySchema[] {
  const { node } = schema;
  switch (node.kind) {
    case "slice":
    case "array":
      return [node.elem];
    case "map":
      return [node.key, node.elem];
    case "struct":
      return node.fields.map(([, of]) => of);
    case "custom":
      return [...node.alongside];
    default:
      return [];
  }
}

/** Go names a slice's element type by its own name, which a pointer type has not. */
function elementName(schema: AnySchema): string {
  return resolve(schema).node.kind === "pointer" ? "" : goTypeOf(schema).name;
}

/** Go names a field's type by its name, or by its spelling when it has none. */
function fieldTypeName(schema: AnySchema): string {
  const { name } = goTypeOf(schema);
  return name !== "" ? name : goText(base(schema));
}
