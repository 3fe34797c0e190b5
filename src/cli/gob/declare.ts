import type { WireType } from "../../gob/index.js";

/** Go's spelling of the types that a stream need not define. */
const BUILTIN: Readonly<Partial<Record<WireType["kind"], string>>> = {
  bool: "bool",
  int: "int",
  uint: "uint",
  float: "float64",
  complex: "complex128",
  string: "string",
  bytes: "[]byte",
  interface: "any",
};

const MARSHALER: Readonly<Partial<Record<WireType["kind"], string>>> = {
  gobEncoder: "GobEncoder",
  binaryMarshaler: "BinaryMarshaler",
  textMarshaler: "TextMarshaler",
};

/**
 * Names a stream's types as Go would. A stream does not tell the names of all: structs in containers come without, and are called by their
 * numbers.
 */
export class TypeNames {
  readonly #find: (id: number) => WireType | undefined;
  readonly #names = new Map<number, string>();
  readonly #used = new Set<string>();

  constructor(find: (id: number) => WireType | undefined) {
    this.#find = find;
  }

  /** How a type is referred to. */
  text(id: number): string {
    return this.#text(id, []);
  }

  #text(id: number, outer: readonly number[]): string {
    const type = this.#find(id);
    // A definition may still be on its way.
    if (type === undefined) return `T${id}`;
    const builtin = BUILTIN[type.kind];
    if (builtin !== undefined) return builtin;
    if (this.isDeclared(type) || outer.includes(id)) return this.#name(type);
    return this.#composite(type, [...outer, id]);
  }

  #composite(type: WireType, outer: readonly number[]): string {
    const elem = this.#text(type.elem, outer);
    if (type.kind === "slice") return `[]${elem}`;
    if (type.kind === "array") return `[${type.length}]${elem}`;
    return `map[${this.#text(type.key, outer)}]${elem}`;
  }

  /** Whether a type has a declaration: structs, what marshals itself, and slices, arrays and maps with a name. */
  isDeclared(type: WireType): boolean {
    if (type.kind === "struct" || type.kind in MARSHALER) return true;
    return ["slice", "array", "map"].includes(type.kind) && /^[\p{L}_][\p{L}\p{Nd}_]*$/u.test(type.name);
  }

  #name(type: WireType): string {
    const known = this.#names.get(type.id);
    if (known !== undefined) return known;
    const wanted = /^[\p{L}_][\p{L}\p{Nd}_]*$/u.test(type.name) ? type.name : `T${type.id}`;
    const name = this.#used.has(wanted) ? `${wanted}_${type.id}` : wanted;
    this.#used.add(name);
    this.#names.set(type.id, name);
    return name;
  }

  /** A type's Go declaration; undefined for one that is written where it is used. */
  declaration(type: WireType): string | undefined {
    if (!this.isDeclared(type)) return undefined;
    const marshaler = MARSHALER[type.kind];
    const head = `type ${this.#name(type)} `;
    const number = ` // ${type.id}`;
    if (marshaler !== undefined) return `${head}struct{}${number}, a ${marshaler}`;
    if (type.kind !== "struct") return `${head}${this.#composite(type, [type.id])}${number}`;
    if (type.fields.length === 0) return `${head}struct{}${number}`;
    const width = Math.max(...type.fields.map(({ name }) => name.length));
    const fields = type.fields.map(({ name, id }) => `\t${name.padEnd(width)} ${this.text(id)}\n`);
    return `${head}struct {${number}\n${fields.join("")}}`;
  }
}
