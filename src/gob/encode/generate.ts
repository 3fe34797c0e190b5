import { FAILED, Source } from "../codegen.js";
import { canBeText, isPlainObject } from "../schema/plain-object.js";
import { keyPlacesOf, type Places, placesOf } from "../schema/remember.js";
import {
  type AnySchema,
  base,
  hasArrivals,
  type IntegerNode,
  resolve,
  type StructNode,
} from "../schema/schema.js";
import type { EncodeOp, EncodeState } from "./encoding.js";
import { writeInterface } from "./interface.js";
import { encodingOf } from "./ops.js";

/** Bytes of the longest scalar with the field number in front of it; a complex takes two. */
const SCALAR = 20;
/** Strings up to this length are copied unit by unit, which beats a call into V8. */
const SHORT_STRING = 24;
/** Elements for which room is made at once. */
const BLOCK = 256;

/** Writes an integer that is no int32; the last resort of generated code. */
function writeInteger(w: EncodeState, v: unknown, node: IntegerNode): void {
  if (typeof v !== "number" || !Number.isSafeInteger(v) || node.bits < 64) throw FAILED;
  if (node.kind === "int") w.int(v);
  else if (v < 0) throw FAILED;
  else w.uint(v);
}

/** A float64 that was written at p + 1, and ends in zeros, in its shorter form; returns where that ends. */
function shortenFloat(b: Uint8Array, p: number): number {
  // Whole numbers, and others of a few digits, have nothing in their lower half.
  let from = b[p + 2] === 0 && b[p + 3] === 0 && b[p + 4] === 0 ? p + 5 : p + 2;
  while (from < p + 8 && b[from] === 0) from++;
  if (from === p + 8 && b[from]! < 128) {
    b[p] = b[from]!;
    return p + 1;
  }
  b[p] = 256 - (p + 9 - from);
  let to = p + 1;
  while (from < p + 9) b[to++] = b[from++]!;
  return to;
}

/** The entries of a plain object, where one may stand for a map. */
function recordEntries(v: unknown, textKeys: boolean): [string, unknown][] {
  if (!textKeys || !isPlainObject(v)) throw FAILED;
  return Object.entries(v);
}

/**
 * Writes the encoding of a schema as JavaScript, a function for each struct, slice and map in it. In these functions
 * `b`, `d` and `p` are the slab, its DataView and the position in it; a check for room precedes every write, for several at once where
 * their sizes are bounded. Values of other types than expected make them throw FAILED.
 */
class EncodeGenerator {
  readonly #source = new Source();
  readonly #names = new Map<AnySchema, string>();
  readonly #failed = this.#source.constant(FAILED);

  generate(schema: AnySchema): EncodeOp {
    return this.#source.compile(this.#function(base(schema))) as EncodeOp;
  }

  /** The name of the function `(w, v) => void` that writes a composite. */
  #function(schema: AnySchema): string {
    const known = this.#names.get(schema);
    if (known !== undefined) return known;
    const name = this.#source.functionName();
    this.#names.set(schema, name);
    const { node } = schema;
    if (node.kind === "struct") this.#struct(name, node);
    else if (node.kind === "slice") this.#elements(name, node.elem, "");
    else if (node.kind === "array") this.#elements(name, node.elem, `n !== ${node.length} ||`);
    else if (node.kind === "map") this.#map(name, node.key, node.elem);
    return name;
  }

  /** Makes room for n bytes. */
  #room(n: string | number): string {
    return `if (p + ${n} > b.length) { w.pos = p; w.ensure(${n}); b = w.buf; d = w.view; p = w.pos; }`;
  }

  /** Statements that call out and come back with slab and position, and with the room that is relied on. */
  #call(expression: string, room: string | number): string {
    return `w.pos = p; ${expression}; p = w.pos; b = w.buf; d = w.view; ${this.#room(room)}`;
  }

  #struct(name: string, node: StructNode): void {
    // Room for all scalars of the struct is made at the start, and again after whatever is not bounded.
    const room = (node.fields.length + 1) * SCALAR;
    const fields = node.fields.map(([field, of], i) => {
      const delta = `${node.fields.length < 128 ? `b[p++] = ${i} - k;` : `w.pos = p; w.uint(${i} - k); p = w.pos;`} k = ${i};`;
      return `v = o[${JSON.stringify(field)}]; ${this.#field(of, delta, room, JSON.stringify(field))}`;
    });
    // What has none of the struct's fields may be something else altogether. That takes time to see, and so is
    // only looked at when nothing was written, unless some field is always written.
    const other = `Array.isArray(o) || o instanceof Map`;
    const always = node.fields.some(([, of]) => !this.#omittable(of));
    this.#source.add(`function ${name}(w, o) {
if (typeof o !== "object" || o === null ${always ? `|| ${other}` : ""} || ++w.depth > w.maxDepth) throw ${this.#failed};
let b = w.buf, d = w.view, p = w.pos, k = -1, v, n = 0, u = 0, i = 0, q = 0, x = 0;
${node.fields.some(([, of]) => hasArrivals(of)) ? this.#places("places", placesOf, "o") : ""}
${this.#room(room)}
${fields.join("\n")}
${always ? "" : `if (k < 0 && (${other})) throw ${this.#failed};`}
b[p++] = 0;
w.pos = p; w.depth--;
}`);
  }

  /** Whether a missing field of this type is left out. */
  #omittable(schema: AnySchema): boolean {
    return encodingOf(schema).omit(undefined);
  }

  /** Declares the remembered types of a container's interface values. */
  #places(name: string, find: (container: unknown) => Places | undefined, container: string): string {
    return `const ${name} = ${this.#source.constant(find)}(${container});`;
  }

  /** Writes `v` as an interface value. */
  #interface(places: string, place: string, room: string | number): string {
    const write = this.#source.constant(writeInterface);
    return this.#call(
      `${write}(w, v, ${places} === undefined ? undefined : ${places}.typeAt(${place}, v))`,
      room,
    );
  }

  /** Writes `v` as a field, or leaves it out; `delta` writes the field number. */
  #field(schema: AnySchema, delta: string, room: number, place: string): string {
    const of = base(schema);
    const { node } = of;
    const pointer = resolve(schema).node.kind === "pointer";
    // Missing is zero, and null is nil where the type has one.
    const missing = pointer ? "v === undefined || v === null" : "v === undefined";
    switch (node.kind) {
      case "bool":
        return `if (v === true) { ${delta} b[p++] = 1; } else if (v !== false && !(${missing})) throw ${this.#failed};`;
      case "int":
      case "uint":
        return `if (v !== 0 && !(${missing})) { if (v === 0n) {} else { ${delta} ${this.#integer(of, node, room)} } }`;
      case "float":
        if (node.single) break;
        return `if (typeof v === "number") { if (v !== 0) { ${delta} ${this.#float()} } } else if (!(${missing})) throw ${this.#failed};`;
      case "string":
        if (node.raw || node.lenient) break;
        return `if (typeof v === "string") { n = v.length; if (n !== 0) { ${delta} ${this.#string(room)} } } else if (!(${missing})) throw ${this.#failed};`;
      case "bytes":
        return `if (v !== undefined && v !== null) { if (!(v instanceof Uint8Array)) throw ${this.#failed}; if (v.length !== 0) { ${delta} ${this.#call("w.bytes(v)", room)} } }`;
      case "struct":
        if (pointer)
          return `if (!(${missing})) { ${delta} ${this.#call(`${this.#function(of)}(w, v)`, room)} }`;
        return `${delta} ${this.#call(`${this.#function(of)}(w, v === undefined ? {} : v)`, room)}`;
      case "slice":
        return `if (v !== undefined && v !== null && v.length !== 0) { ${delta} ${this.#call(`${this.#function(of)}(w, v)`, room)} }`;
      case "map":
        return `if (v !== undefined && v !== null) { ${delta} ${this.#call(`${this.#function(of)}(w, v)`, room)} }`;
      case "interface":
        if (!hasArrivals(of)) break;
        return `if (v !== undefined && v !== null) { ${delta} ${this.#interface("places", place, room)} }`;
    }
    const encoding = this.#source.constant(encodingOf(schema));
    return `if (!${encoding}.omit(v)) { ${delta} ${this.#call(`${encoding}.write(w, v)`, room)} }`;
  }

  /** Writes `v` wherever a value stands alone: zeros, too. In \`places\` the types of interface values are found. */
  #value(schema: AnySchema, room: number, places: string, place: string): string {
    const of = base(schema);
    const { node } = of;
    switch (node.kind) {
      case "bool":
        return `if (typeof v !== "boolean") throw ${this.#failed}; b[p++] = v ? 1 : 0;`;
      case "int":
      case "uint":
        return this.#integer(of, node, room);
      case "float":
        if (node.single) break;
        return `if (typeof v !== "number") throw ${this.#failed}; ${this.#float()}`;
      case "string":
        if (node.raw || node.lenient) break;
        return `if (typeof v !== "string") throw ${this.#failed}; n = v.length; ${this.#string(room)}`;
      case "struct":
      case "slice":
      case "map":
        return `if (v === undefined || v === null) throw ${this.#failed}; ${this.#call(`${this.#function(of)}(w, v)`, room)}`;
      case "interface":
        if (!hasArrivals(of)) break;
        return `if (v === undefined) throw ${this.#failed}; ${this.#interface(places, place, room)}`;
    }
    const encoding = this.#source.constant(encodingOf(schema));
    return `if (v === undefined) throw ${this.#failed}; ${this.#call(`${encoding}.write(w, v)`, room)}`;
  }

  #integer(schema: AnySchema, node: IntegerNode, room: number): string {
    if (node.form !== "number") {
      const encoding = this.#source.constant(encodingOf(schema));
      return this.#call(`${encoding}.write(w, v)`, room);
    }
    const signed = node.kind === "int";
    const bits = Math.min(node.bits, signed ? 32 : 31);
    const range =
      node.bits < 32
        ? ` && v <= ${2 ** (signed ? bits - 1 : bits) - 1} && v >= ${signed ? -(2 ** (bits - 1)) : 0}`
        : signed
          ? ""
          : " && v >= 0";
    const wide =
      node.bits < 32
        ? `throw ${this.#failed};`
        : node.bits === 32 && !signed
          ? `if (typeof v !== "number" || !(v >= 0 && v <= 4294967295) || !Number.isInteger(v)) throw ${this.#failed}; w.pos = p; w.uint(v); p = w.pos;`
          : node.bits === 32
            ? `throw ${this.#failed};`
            : `w.pos = p; ${this.#source.constant(writeInteger)}(w, v, ${this.#source.constant(node)}); p = w.pos;`;
    return `if ((v | 0) === v${range}) {
u = ${signed ? "((v << 1) ^ (v >> 31)) >>> 0" : "v"};
if (u < 128) b[p++] = u;
else if (u < 256) { b[p] = 255; b[p + 1] = u; p += 2; }
else if (u < 65536) { b[p] = 254; b[p + 1] = u >>> 8; b[p + 2] = u; p += 3; }
else if (u < 16777216) { b[p] = 253; b[p + 1] = u >>> 16; b[p + 2] = u >>> 8; b[p + 3] = u; p += 4; }
else { b[p] = 252; b[p + 1] = u >>> 24; b[p + 2] = u >>> 16; b[p + 3] = u >>> 8; b[p + 4] = u; p += 5; }
} else { ${wide} }`;
  }

  #float(): string {
    // Written as its eight bytes; when the first is zero, the number has a shorter form.
    const shorten = this.#source.constant(shortenFloat);
    return `d.setFloat64(p + 1, v, true); if (b[p + 1] !== 0) { b[p] = 248; p += 9; } else p = ${shorten}(b, p);`;
  }

  #string(room: number): string {
    // Four units at a time, and in one write: each test of a bound costs as much as a unit.
    const unit = "u = v.charCodeAt(i); x |= u; b[q++] = u;";
    return `if (n <= ${SHORT_STRING}) {
${this.#room(`n + ${room}`)}
q = p + 1;
x = 0;
for (i = 0; i < n - 3; i += 4) {
const u0 = v.charCodeAt(i), u1 = v.charCodeAt(i + 1), u2 = v.charCodeAt(i + 2), u3 = v.charCodeAt(i + 3);
x |= u0 | u1 | u2 | u3;
d.setInt32(q, u0 | u1 << 8 | u2 << 16 | u3 << 24, true); q += 4;
}
if (i < n) { ${unit} if (++i < n) { ${unit} if (++i < n) { ${unit} } } }
} else x = 128;
if (x < 128) { b[p] = n; p = q; }
else { ${this.#call("w.string(v)", room)} }`;
  }

  #elements(name: string, elem: AnySchema, check: string): void {
    this.#source.add(`function ${name}(w, a) {
if (!Array.isArray(a)) throw ${this.#failed};
const count = a.length;
let n = count;
if (${check} ++w.depth > w.maxDepth) throw ${this.#failed};
w.uint(count);
let b = w.buf, d = w.view, p = w.pos, v, u = 0, i = 0, q = 0, x = 0;
${hasArrivals(elem) ? this.#places("places", placesOf, "a") : ""}
for (let j = 0; j < count;) {
const stop = j + ${BLOCK} < count ? j + ${BLOCK} : count;
${this.#room(SCALAR * BLOCK)}
for (; j < stop; j++) {
v = a[j];
${this.#value(elem, SCALAR * BLOCK, "places", "j")}
}
}
w.pos = p; w.depth--;
}`);
  }

  #map(name: string, key: AnySchema, elem: AnySchema): void {
    this.#source.add(`function ${name}(w, m) {
if (++w.depth > w.maxDepth) throw ${this.#failed};
const entries = m instanceof Map ? m : ${this.#source.constant(recordEntries)}(m, ${canBeText(key)});
w.uint(m instanceof Map ? m.size : entries.length);
let b = w.buf, d = w.view, p = w.pos, v, n = 0, u = 0, i = 0, q = 0, x = 0;
${hasArrivals(key) ? this.#places("keyPlaces", keyPlacesOf, "m") : ""}
${hasArrivals(elem) ? this.#places("places", placesOf, "m") : ""}
for (const entry of entries) {
${this.#room(SCALAR * 4)}
v = entry[0];
${this.#value(key, SCALAR * 4, "keyPlaces", "v")}
v = entry[1];
${this.#value(elem, SCALAR * 4, "places", "entry[0]")}
}
w.pos = p; w.depth--;
}`);
  }
}

/** The generated function for a composite schema. */
export function generateEncode(schema: AnySchema): EncodeOp {
  return new EncodeGenerator().generate(schema);
}
