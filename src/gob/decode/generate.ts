import { FAILED, Source } from "../codegen.js";
import { ARRAY_COST, elementCost, entryCost, MAP_COST, structCost } from "../schema/cost.js";
import { rememberElements, rememberKeys, rememberPlaces } from "../schema/remember.js";
import {
  type AnySchema,
  base,
  hasArrivals,
  type IntegerNode,
  type Node,
  type StructNode,
} from "../schema/schema.js";
import { zeroMaker } from "../schema/zero.js";
import type { WireTypes } from "../wire/wire-type.js";
import type { DecodeOp } from "./decoding.js";
import { shortText } from "./short-text.js";
import { skipValue } from "./skip.js";

/** Reads a value with the closures; for the kinds that generated code does not spell out. */
export type Fallback = (schema: AnySchema, id: number, name: string) => DecodeOp;

/**
 * Writes the decoding of one pair of schema and remote type as JavaScript, a function for each struct, slice and map in
 * it. In these functions `b`, `p` and `e` are the message and the position and end in it. Reading past the end
 * yields garbage instead of an error and is found out afterwards, `p > e`; every loop is bounded by a check.
 */
class DecodeGenerator {
  readonly #source = new Source();
  readonly #types: WireTypes;
  readonly #fallback: Fallback;
  readonly #names = new Map<AnySchema, Map<number, string>>();
  readonly #failed: string;

  constructor(types: WireTypes, fallback: Fallback) {
    this.#types = types;
    this.#fallback = fallback;
    this.#failed = this.#source.constant(FAILED);
  }

  generate(schema: AnySchema, id: number): DecodeOp {
    return this.#source.compile(this.#function(base(schema), id)) as DecodeOp;
  }

  /** The name of the function `(d) => value` that reads a composite. */
  #function(schema: AnySchema, id: number): string {
    let byId = this.#names.get(schema);
    if (byId === undefined) {
      byId = new Map();
      this.#names.set(schema, byId);
    }
    const known = byId.get(id);
    if (known !== undefined) return known;
    const name = this.#source.functionName();
    byId.set(id, name);
    const { node } = schema;
    const type = this.#types.get(id)!;
    if (node.kind === "struct") this.#struct(name, schema, node, id);
    else if (node.kind === "slice" || node.kind === "array") this.#elements(name, schema, type.elem);
    else if (node.kind === "map") this.#map(name, schema, type.key, type.elem);
    return name;
  }

  #isFunction(schema: AnySchema): boolean {
    const { kind } = base(schema).node;
    return kind === "struct" || kind === "slice" || kind === "array" || kind === "map";
  }

  #struct(name: string, schema: AnySchema, node: StructNode, id: number): void {
    const type = this.#types.get(id)!;
    const index = new Map(node.fields.map(([field], i) => [field, i]));
    const received = new Set(type.fields.map((field) => field.name));
    const declare: string[] = [];
    const finish: string[] = [];
    for (const [i, [field, of]] of node.fields.entries()) {
      const zero = this.#zero(of);
      if (zero.constant !== undefined) declare.push(`v${i} = ${zero.constant}`);
      else if (received.has(field)) {
        declare.push(`v${i}`);
        finish.push(`if (v${i} === undefined) v${i} = ${zero.make}();`);
      } else declare.push(`v${i} = ${zero.make}()`);
    }
    const reads = type.fields.map((field, i) => {
      const local = index.get(field.name);
      const read =
        local === undefined
          ? this.#call(
              `${this.#source.constant(skipValue)}(d, ${field.id}, ${this.#source.constant(this.#types)})`,
              "",
            )
          : this.#read(node.fields[local]![1], field.id, `v${local}`, field.name) +
            (hasArrivals(node.fields[local]![1]) ? note(JSON.stringify(field.name)) : "");
      return `if (k === ${i}) { ${read} x = p < e ? b[p++] : 0; if (x > 127) { ${this.#uint("x")} } k = x === 0 ? -1 : ${i} + x; }`;
    });
    const arrivals = node.fields.some(([, of]) => hasArrivals(of));
    const made = `{ ${node.fields.map(([field], i) => `${JSON.stringify(field)}: v${i}`).join(", ")} }`;
    this.#source.add(`function ${name}(d) {
if (++d.depth > d.maxDepth) throw ${this.#failed};
${this.#charge(structCost(schema))}
const b = d.buf; let p = d.pos, e = d.end, x = 0, n = 0;
let ${["k = 0", ...declare].join(", ")}${arrivals ? ", types" : ""};
x = p < e ? b[p++] : 0; if (x > 127) { ${this.#uint("x")} } k = x - 1;
${reads.join("\n")}
if (k !== -1 || p > e) throw ${this.#failed};
${finish.join("\n")}
d.pos = p; d.depth--;
${arrivals ? this.#remember(rememberPlaces, made) : `return ${made};`}
}`);
  }

  /** Takes what is about to be allocated off the budget. */
  #charge(bytes: number | string): string {
    return `if ((d.budget -= ${bytes}) < 0) throw ${this.#failed};`;
  }

  /** A zero value: as an expression when it is immutable, else as the name of a function. */
  #zero(schema: AnySchema): { constant?: string; make?: string } {
    const make = zeroMaker(schema);
    const zero = make();
    if (zero === null || typeof zero === "boolean" || typeof zero === "number")
      return { constant: String(zero) };
    if (typeof zero === "bigint") return { constant: "0n" };
    if (zero === "") return { constant: '""' };
    return { make: this.#source.constant(make) };
  }

  /** Whether a value of the remote type may contain an interface, and so go on in another message. */
  #spans(id: number, seen: Set<number> = new Set()): boolean {
    if (seen.has(id)) return false;
    seen.add(id);
    const type = this.#types.get(id);
    if (type === undefined || type.kind === "interface") return true;
    return (
      [type.elem, type.key].some((inner) => inner !== 0 && this.#spans(inner, seen)) ||
      type.fields.some((field) => this.#spans(field.id, seen))
    );
  }

  #elements(name: string, schema: AnySchema, elemId: number): void {
    const { node } = schema;
    if (node.kind !== "slice" && node.kind !== "array") return;
    const spans = this.#spans(elemId);
    const { kind } = base(node.elem).node;
    const arrivals = hasArrivals(node.elem);
    const cost = elementCost(node.elem);
    const check = node.kind === "array" ? `n !== ${node.length} || ` : "";
    // Each element takes a byte at least, save a struct that ends with its message. Where a value may go on in other
    // messages, what is left of this one says nothing about the count.
    const each = spans || kind === "struct" ? `if (p >= e) throw ${this.#failed};` : "";
    const { made, view, target } = elementsPlan(base(node.elem).node, spans);
    this.#source.add(`function ${name}(d) {
if (++d.depth > d.maxDepth) throw ${this.#failed};
const b = d.buf; let p = d.pos, e = d.end, x = 0, n = 0, v;
n = b[p++]; if (n > 127) { ${this.#uint("n")} }
if (${check}${spans ? "n > 1e9" : "n > e - p"}) throw ${this.#failed};
const count = n;
${this.#charge(`${ARRAY_COST} + count * ${spans ? 1 : cost}`)}
${made}
${arrivals ? "let types;" : ""}
${view}
for (let i = 0; i < count; i++) {
${each}
${spans ? this.#charge(cost) : ""}
${this.#read(node.elem, elemId, target, "element", true)}
${target === "v" ? "out[i] = v;" : ""}
${arrivals ? "if (d.arrived !== undefined) (types ??= new Array(i).fill(undefined))[i] = d.arrived; else if (types !== undefined) types.push(undefined);" : ""}
}
if (p > e) throw ${this.#failed};
d.pos = p; d.depth--;
${arrivals ? this.#remember(rememberElements, "out") : "return out;"}
}`);
  }

  #map(name: string, schema: AnySchema, keyId: number, elemId: number): void {
    const { node } = schema;
    if (node.kind !== "map") return;
    const cost = entryCost(node.key, node.elem);
    const kind = base(node.key).node.kind;
    const keysArrive = hasArrivals(node.key);
    const elemsArrive = hasArrivals(node.elem);
    this.#source.add(`function ${name}(d) {
if (++d.depth > d.maxDepth) throw ${this.#failed};
const b = d.buf; let p = d.pos, e = d.end, x = 0, n = 0, key, v;
n = b[p++]; if (n > 127) { ${this.#uint("n")} }
const count = n;
${this.#charge(MAP_COST)}
const out = new Map();
${keysArrive ? "let keyTypes;" : ""}
${elemsArrive ? "let types;" : ""}
for (let i = 0; i < count; i++) {
if (p >= e) throw ${this.#failed};
${this.#charge(cost)}
${this.#read(node.key, keyId, "key", "key")}
${kind === "float" ? `if (key !== key && out.has(key)) throw ${this.#failed};` : ""}
${keysArrive ? `if (out.has(key)) throw ${this.#failed}; ${note("key", "keyTypes")}` : ""}
${this.#read(node.elem, elemId, "v", "element")}
out.set(key, v);
${elemsArrive ? note("key") : ""}
}
if (p > e) throw ${this.#failed};
d.pos = p; d.depth--;
${keysArrive ? `if (keyTypes !== undefined) ${this.#source.constant(rememberKeys)}(out, keyTypes);` : ""}
${elemsArrive ? this.#remember(rememberPlaces, "out") : "return out;"}
}`);
  }

  /** Statements that return a container, and remember the types of what arrived in it. */
  #remember(how: (container: never, types: never) => void, container: string): string {
    return `const made = ${container}; if (types !== undefined) ${this.#source.constant(how)}(made, types); return made;`;
  }

  /** Statements that call out and come back with the position; an interface may have gone on to another message. */
  #call(expression: string, target: string): string {
    return `d.pos = p; ${target === "" ? "" : `${target} = `}${expression}; p = d.pos; e = d.end;`;
  }

  /** Reads on an unsigned integer whose first byte, in `target`, is not its value. */
  #uint(target: string): string {
    return `d.pos = p - 1; ${target} = d.uint(); p = d.pos;`;
  }

  /** Statements that read a value into a variable. */
  #read(schema: AnySchema, id: number, target: string, name: string, view = false): string {
    const of = base(schema);
    const { node } = of;
    if (this.#isFunction(of)) return this.#call(`${this.#function(of, id)}(d)`, target);
    switch (node.kind) {
      case "bool":
        return `x = b[p++]; if (x > 127) { d.pos = p - 1; d.words(); p = d.pos; ${target} = (d.high | d.low) !== 0; } else ${target} = x !== 0;`;
      case "int":
      case "uint":
        if (node.form === "number") return this.#integer(node, target, view);
        break;
      case "float":
        if (!node.single)
          return view
            ? `if (dv !== undefined && b[p] === 248 && p + 9 <= e) { ${target} = dv.getFloat64(p + 1, true); p += 9; } else { ${this.#call("d.float()", target)} }`
            : this.#call("d.float()", target);
        break;
      case "string":
        if (!node.raw && !node.lenient) return this.#string(target);
        break;
      case "bytes":
        return this.#call("d.bytes()", target);
    }
    const op = this.#source.constant(this.#fallback(of, id, name));
    return this.#call(`${op}(d, undefined)`, target);
  }

  /** `view`: `dv` is a view of the message, of which four bytes at a time cost less than byte by byte. */
  #integer(node: IntegerNode, target: string, view: boolean): string {
    const signed = node.kind === "int";
    const value = signed ? "(x >>> 1) ^ -(x & 1)" : "x";
    const max = 2 ** (signed ? node.bits - 1 : node.bits) - 1;
    const range =
      node.bits < 64
        ? `if (${target} > ${max}${signed ? ` || ${target} < ${-max - 1}` : ""}) throw ${this.#failed};`
        : "";
    const safe = `if (${target} > 9007199254740991 || ${target} < -9007199254740991) throw ${this.#failed};`;
    const long = `p = d.pos; ${node.bits < 64 ? "" : safe} break number;`;
    const call = `${target} = d.${signed ? "int" : "uint"}();`;
    const bytewise = `x = b[p++];
if (x < 128) {}
else if (x === 255) x = b[p++];
else if (x === 254) { x = b[p] << 8 | b[p + 1]; p += 2; }
else if (x === 253) { x = b[p] << 16 | b[p + 1] << 8 | b[p + 2]; p += 3; }
else { d.pos = p - 1; ${call} ${long} }`;
    const viewed = `if (dv !== undefined && p + 4 <= e) {
n = dv.getUint32(p);
x = n >>> 24;
if (x < 128) p++;
else if (x === 253) { x = n & 16777215; p += 4; }
else if (x === 254) { x = n >>> 8 & 65535; p += 3; }
else if (x === 255) { x = n >>> 16 & 255; p += 2; }
else { d.pos = p; ${call} ${long} }
} else {
${bytewise}
}`;
    return `number: {
${view ? viewed : bytewise}
${target} = ${value};
}
${range}`;
  }

  #string(target: string): string {
    const slice = this.#source.constant(shortText);
    return `n = b[p++]; if (n > 127) { ${this.#uint("n")} }
if (n > e - p) throw ${this.#failed};
if (n === 0) ${target} = ""; else { ${target} = ${slice}(d, b, p, n); p += n; }`;
  }
}

/** V8 makes a hash table of an array that is longer from the beginning. */
const MAX_PREALLOCATED = 30_000_000;

/** For a few elements a view of the message costs more than it spares. */
const VIEW = "const dv = count < 16 ? undefined : new DataView(b.buffer, b.byteOffset, b.length);";

/** How the array of a slice's elements is made, and whether they are read straight into it. */
function elementsPlan(elem: Node, spans: boolean): { made: string; view: string; target: string } {
  const count = `count <= ${MAX_PREALLOCATED} ? count : 0`;
  if (elem.kind === "float" && !elem.single)
    return {
      // An array that is made for doubles. One of `new Array` is copied as a whole when the first double arrives.
      made: `const out = [0.5]; out.length = ${count};`,
      view: VIEW,
      target: "out[i]",
    };
  const isNumber = (elem.kind === "int" || elem.kind === "uint") && elem.form === "number";
  const wide = isNumber && elem.bits === 64;
  return {
    // Where values may go on in other messages, the count may be anything.
    made: `const out = ${spans ? "[]" : `new Array(${count})`};`,
    view: isNumber ? VIEW : "",
    // In a variable between, all integers would become doubles because a few may be.
    target: wide ? "out[i]" : "v",
  };
}

/** A statement that notes the type of the interface value that was just read. */
function note(place: string, types = "types"): string {
  return `if (d.arrived !== undefined) (${types} ??= new Map()).set(${place}, d.arrived);`;
}

/** The generated function for a composite of a schema and a remote type that are known to fit; it never merges. */
export function generateDecode(
  schema: AnySchema,
  id: number,
  types: WireTypes,
  fallback: Fallback,
): DecodeOp {
  return new DecodeGenerator(types, fallback).generate(schema, id);
}
