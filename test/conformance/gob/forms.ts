// The JSON form of Go values that the vectors use (vectors/README in the reference), to and from our values.
import * as gob from "../../../src/gob/index.js";
import { type GoDeclaration, type GoTypeNode, parseDeclaration, parseType } from "./go-types.js";

export type Form = Record<string, unknown>;

const PACKAGE = "example.com/gobvec/vt";

const REGISTERED = [
  "vt.Point *vt.AnyOuter *vt.AnyInner vt.Person vt.Inner vt.MyInt vt.MyString vt.MyInts vt.ID16 vt.UUID *vt.List",
  "vt.Empty vt.WithAny time.Time time.Duration *big.Int []interface{} map[string]interface{} map[string]string",
  "[3]int []vt.Point map[string]vt.Point *vt.Node vt.Company=custom/name vt.GobVal=x",
]
  .join(" ")
  .split(" ");

/** Types of Go's library and of the vectors that no declaration describes: their underlying type, or their schema. */
const ALIASES: Record<string, string> = {
  byte: "uint8",
  rune: "int32",
  "time.Duration": "int64",
  "time.Month": "int",
  "net.IP": "[]uint8",
  "json.RawMessage": "[]uint8",
  "json.Number": "string",
};
const FULL_NAMES: Record<string, string> = {
  "json.RawMessage": "encoding/json.RawMessage",
  "json.Number": "encoding/json.Number",
};

const SCALARS: Record<string, gob.AnySchema> = {
  bool: gob.bool,
  int: gob.intBigint,
  int8: gob.int8,
  int16: gob.int16,
  int32: gob.int32,
  int64: gob.int64,
  uint: gob.uintBigint,
  uint8: gob.uint8,
  uint16: gob.uint16,
  uint32: gob.uint32,
  uint64: gob.uint64,
  uintptr: gob.uintptr,
  float32: gob.float32,
  float64: gob.float64,
  complex64: gob.complex64,
  complex128: gob.complex128,
  string: gob.string,
};

/** A type that marshals itself, as its payload; the vectors give payloads. */
function payloadType(
  name: string,
  marshaler: "gob" | "binary",
  zero: string,
  valueReceiver: boolean,
  size?: number,
): gob.AnySchema {
  return gob.custom<Buffer, Buffer>({
    name,
    marshaler,
    encode: (payload) => payload,
    decode: (payload) => {
      if (size !== undefined && payload.length !== size) throw new RangeError("bad payload length");
      return payload;
    },
    zero: () => Buffer.from(zero, "hex"),
    ...(valueReceiver ? { isZero: (payload: Buffer) => payload.toString("hex") === zero } : {}),
  });
}

const ZERO_EMPTY = Buffer.alloc(0);

const LIBRARY: Record<string, gob.AnySchema> = {
  "time.Time": gob.time,
  "big.Int": gob.bigInt,
  "big.Rat": gob.bigRat,
  "big.Float": gob.bigFloat,
  "url.URL": gob.url,
  "netip.Addr": gob.netipAddr,
  "netip.AddrPort": payloadType("net/netip.AddrPort", "binary", "", true),
  "vt.GobUpper": payloadType(`${PACKAGE}.GobUpper`, "gob", "553a", false),
  "vt.GobVal": payloadType(`${PACKAGE}.GobVal`, "gob", "0000", true),
  // Its payload is empty whether or not it is zero: only the zero made here counts as one.
  "vt.GobEmpty": gob.custom<Buffer, Buffer>({
    name: `${PACKAGE}.GobEmpty`,
    marshaler: "gob",
    encode: (payload) => payload,
    decode: (payload) => payload,
    zero: () => ZERO_EMPTY,
    isZero: (payload) => payload === ZERO_EMPTY,
  }),
  "vt.UUID": payloadType(`${PACKAGE}.UUID`, "binary", "00".repeat(16), true, 16),
};

/** Payload and value of the library's self-marshalling types, through their own schemas. */
function payloadOf(schema: gob.AnySchema, value: unknown): string {
  const node = schema.node as unknown as { encode(value: unknown): Uint8Array };
  return Buffer.from(node.encode(value)).toString("hex");
}
function ofPayload(schema: gob.AnySchema, hex: string): unknown {
  const node = schema.node as unknown as { decode(payload: Buffer): unknown };
  return node.decode(Buffer.from(hex, "hex"));
}

const f64 = new DataView(new ArrayBuffer(8));
export function bitsOf(v: number): string {
  f64.setFloat64(0, v);
  return f64.getBigUint64(0).toString(16).padStart(16, "0");
}
export function ofBits(bits: string): number {
  f64.setBigUint64(0, BigInt(`0x${bits}`));
  return f64.getFloat64(0);
}

/** The schemas of one vector file: types are built once, so that equal spellings are equal schemas. */
export class World {
  readonly #declarations = new Map<string, GoDeclaration>();
  readonly #schemas = new Map<string, gob.AnySchema>();
  readonly registry = new gob.Registry();

  declare(declarations: readonly string[]): void {
    for (const text of declarations) {
      const declaration = parseDeclaration(text);
      this.#declarations.set(`vt.${declaration.name}`, declaration);
    }
  }

  /** Registers what the vectors' generator registered; a pointer is registered under its own spelling. */
  registerVectorTypes(): void {
    for (const entry of REGISTERED) {
      const [spelling, name] = entry.split("=") as [string, string?];
      const full = name ?? spelling.replace(/^vt\./, `${PACKAGE}.`).replaceAll("interface{}", "interface {}");
      this.concrete.set(full, spelling);
      this.registry.register(this.schema(spelling), full);
    }
  }

  /** The type node behind a name, and how the name is written in full. */
  #named(name: string): { node: GoTypeNode; full: string } | undefined {
    const alias = ALIASES[name];
    if (alias !== undefined) return { node: parseType(alias), full: FULL_NAMES[name] ?? name };
    const declared = this.#declarations.get(name) ?? this.#declarations.get(`vt.${name}`);
    if (declared === undefined) return undefined;
    return { node: declared.type, full: `${PACKAGE}.${declared.name}` };
  }

  /** Follows names to the type's structure. */
  underlying(type: GoTypeNode): GoTypeNode {
    if (type.k !== "name" || type.name in SCALARS || this.#library(type.name) !== undefined) return type;
    const found = this.#named(type.name);
    if (found === undefined) throw new Error(`unknown Go type ${type.name}`);
    return this.underlying(found.node);
  }

  #library(name: string): gob.AnySchema | undefined {
    return LIBRARY[name] ?? LIBRARY[`vt.${name}`];
  }

  schema(text: string): gob.AnySchema {
    return this.schemaOf(parseType(text));
  }

  schemaOf(type: GoTypeNode): gob.AnySchema {
    if (type.k === "name" && this.#declarations.has(`vt.${type.name}`))
      return this.schemaOf({ k: "name", name: `vt.${type.name}` });
    const key = JSON.stringify(type);
    const known = this.#schemas.get(key);
    if (known !== undefined) return known;
    let built: gob.AnySchema | undefined;
    this.#schemas.set(
      key,
      gob.lazy(() => built!),
    );
    built = this.#build(type);
    this.#schemas.set(key, built);
    return built;
  }

  #build(type: GoTypeNode): gob.AnySchema {
    if (type.k !== "name") return this.#composite(type, "");
    const simple = SCALARS[type.name] ?? this.#library(type.name);
    if (simple !== undefined) return simple;
    const found = this.#named(type.name);
    if (found === undefined) throw new Error(`unknown Go type ${type.name}`);
    const name = found.full.startsWith("byte") || found.full.startsWith("rune") ? "" : found.full;
    if (found.node.k === "name") {
      const inner = this.schemaOf(found.node);
      return name === "" ? inner : gob.named(name, inner as gob.Schema<unknown, unknown>);
    }
    return this.#composite(found.node, name);
  }

  #composite(type: GoTypeNode, name: string): gob.AnySchema {
    switch (type.k) {
      case "slice": {
        const elem = this.underlying(type.elem);
        const isBytes = elem.k === "name" && (elem.name === "uint8" || elem.name === "byte");
        if (isBytes) return name === "" ? gob.bytes : gob.named(name, gob.bytes);
        return gob.slice(this.schemaOf(type.elem), { name });
      }
      case "array":
        return gob.array(this.schemaOf(type.elem), type.length, { name });
      case "map":
        return gob.map(this.schemaOf(type.key), this.schemaOf(type.elem), { name, nilable: true });
      case "pointer":
        return gob.pointer(this.schemaOf(type.elem));
      case "interface":
        return name === "" ? gob.typedAny : gob.named(name, gob.typedAny);
      case "struct":
        return gob.struct(
          Object.fromEntries(
            type.fields
              .filter(([field]) => /^\p{Lu}/u.test(field))
              .map(([field, of]) => [field, this.schemaOf(of)]),
          ),
          { name },
        );
      case "name":
        throw new Error("a name is not composite");
    }
  }

  /** Our value of a Go type from its form. */
  value(type: GoTypeNode, form: Form): unknown {
    const of = this.underlying(type);
    if (form.k === "nil") return null;
    switch (of.k) {
      case "pointer":
        return this.value(of.elem, form);
      case "interface":
        if (form.nil === true) return null;
        return new gob.TypedValue(
          this.registry.schema(form.concrete as string)!,
          this.value(parseType(form.type as string), form.v as Form),
          form.concrete as string,
        );
      case "slice":
      case "array":
        if (form.k === "bytes") return Buffer.from((form.hex as string | undefined) ?? "", "hex");
        if (form.nil === true) return [];
        return elementForms(form).map((elem) => this.value(of.elem, elem));
      case "map":
        if (form.nil === true) return null;
        return new Map(
          (form.v as [Form, Form][]).map(([k, v]) => [this.value(of.key, k), this.value(of.elem, v)]),
        );
      case "struct": {
        const types = new Map(of.fields);
        return Object.fromEntries(
          (form.v as [string, Form][]).map(([name, v]) => [name, this.value(types.get(name)!, v)]),
        );
      }
      case "name":
        return this.#scalar(of.name, form);
    }
  }

  #scalar(name: string, form: Form): unknown {
    const library = this.#library(name);
    if (library !== undefined) return ofPayload(library, form.hex as string);
    if (name === "bool") return form.v;
    if (name === "string") return form.hex === undefined ? form.v : escaped(form.hex as string);
    if (name.startsWith("float")) return ofBits(form.bits as string);
    if (name.startsWith("complex"))
      return { re: ofBits((form.re as Form).bits as string), im: ofBits((form.im as Form).bits as string) };
    const big = (SCALARS[name]!.node as { form?: string }).form === "bigint";
    return big ? BigInt(form.v as string) : Number(form.v);
  }

  /** The form of our value, as far as it can be told: nil slices are empty ones, and pointers what they point to. */
  form(type: GoTypeNode, value: unknown): Form {
    const of = this.underlying(type);
    switch (of.k) {
      case "pointer":
        return value === null ? { k: "nil" } : this.form(of.elem, value);
      case "interface": {
        if (value === null) return { k: "interface", nil: true };
        const typed = value as gob.TypedValue;
        return { k: "interface", concrete: typed.name, v: this.concreteForm(typed) };
      }
      case "slice":
        if (Buffer.isBuffer(value)) return { k: "bytes", hex: value.toString("hex") };
        return { k: "slice", v: (value as unknown[]).map((elem) => this.form(of.elem, elem)) };
      case "array":
        return { k: "array", v: (value as unknown[]).map((elem) => this.form(of.elem, elem)) };
      case "map": {
        if (value === null) return { k: "map", nil: true };
        const entries = [...(value as Map<unknown, unknown>)].map(
          ([k, v]) => [this.form(of.key, k), this.form(of.elem, v)] as const,
        );
        return { k: "map", v: sortEntries(entries) };
      }
      case "struct":
        return {
          k: "struct",
          v: of.fields
            .filter(([name]) => /^\p{Lu}/u.test(name))
            .map(([name, fieldType]) => [name, this.form(fieldType, (value as Form)[name])]),
        };
      case "name": {
        const library = this.#library(of.name);
        if (library !== undefined) return { k: "payload", hex: payloadOf(library, value) };
        return scalarForm(of.name, value);
      }
    }
  }

  /** What stands in an interface has the Go type of its registered name; the builtins give numbers or bigints. */
  concreteForm(typed: gob.TypedValue): Form {
    const type = this.concrete.get(typed.name) ?? typed.name;
    return this.form(parseType(type), typed.value);
  }

  /** Registered names that are not the spelling of their type. */
  readonly concrete = new Map<string, string>();
}

/** The escaped form of a string's bytes, as the option invalidUtf8 gives it. */
function escaped(hex: string): string {
  const stream = gob.encode(gob.rawString, Buffer.from(hex, "hex"));
  return gob.decode(gob.string, stream, { invalidUtf8: "escape" });
}

function sortEntries(entries: readonly (readonly [Form, Form])[]): unknown[] {
  return entries
    .map((entry) => ({ entry, key: JSON.stringify(entry[0]) }))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ entry }) => entry);
}

function scalarForm(kind: string, value: unknown): Form {
  if (kind === "bool") return { k: "bool", v: value };
  if (kind === "string") return stringForm(value as string);
  if (kind.startsWith("float")) return { k: kind, bits: canonicalBits(bitsOf(value as number)) };
  if (kind.startsWith("complex")) {
    const { re, im } = value as gob.Complex;
    return { k: kind, re: canonicalBits(bitsOf(re)), im: canonicalBits(bitsOf(im)) };
  }
  return { k: kind, v: String(value) };
}

function stringForm(text: string): Form {
  const raw = gob.encode(gob.string, text, { invalidUtf8: "escape" });
  return { k: "string", hex: gob.decode(gob.rawString, raw).toString("hex") };
}

/** JavaScript may change a NaN's payload: all are one. */
function canonicalBits(bits: string): string {
  return Number.isNaN(ofBits(bits)) ? "nan" : bits;
}

/** The element forms of an array or slice, whichever of the compact notations it has. */
function elementForms(form: Form, kindOf?: KindOf): Form[] {
  const elem = kindOf === undefined ? (form.elem as string) : kindOf(form.id as number);
  if (form.vs !== undefined) return (form.vs as string[]).map((v) => ({ k: elem, v }));
  if (form.bits !== undefined) return (form.bits as string[]).map((bits) => ({ k: elem, bits }));
  return form.v as Form[];
}

/** The kind of a slice's or array's elements, by its type id, where forms without a schema do not say it. */
export type KindOf = (id: number) => string;

/** Brings a vector's form to what `World.form` makes. */
export function normalize(form: Form, kindOf?: KindOf): Form {
  switch (form.k) {
    case "nil":
      return { k: "nil" };
    case "string":
      return {
        k: "string",
        hex: (form.hex as string | undefined) ?? Buffer.from(form.v as string).toString("hex"),
      };
    case "bytes":
      return { k: "bytes", hex: (form.hex as string | undefined) ?? "" };
    case "slice":
      return form.nil === true
        ? { k: "slice", v: [] }
        : { k: "slice", v: elementForms(form, kindOf).map((elem) => normalize(elem, kindOf)) };
    case "array":
      return { k: "array", v: elementForms(form, kindOf).map((elem) => normalize(elem, kindOf)) };
    case "map":
      return form.nil === true
        ? { k: "map", nil: true }
        : {
            k: "map",
            v: sortEntries(
              (form.v as [Form, Form][]).map(([k, v]) => [normalize(k, kindOf), normalize(v, kindOf)]),
            ),
          };
    case "struct":
      return {
        k: "struct",
        v: (form.v as [string, Form][]).map(([name, v]) => [name, normalize(v, kindOf)]),
      };
    case "interface":
      return form.nil === true
        ? { k: "interface", nil: true }
        : { k: "interface", concrete: form.concrete, v: normalize(form.v as Form, kindOf) };
    case "time":
    case "gob":
    case "binary":
    case "gobEncoder":
    case "binaryMarshaler":
    case "textMarshaler":
      return { k: "payload", hex: form.hex };
    case "float32":
    case "float64":
    case "float":
      return { k: form.k, bits: canonicalBits(form.bits as string) };
    case "complex64":
    case "complex128":
    case "complex":
      return {
        k: form.k,
        re: canonicalBits((form.re as Form).bits as string),
        im: canonicalBits((form.im as Form).bits as string),
      };
    default:
      return { k: form.k, v: form.v };
  }
}

/** The form of a schema-free value; the type says what JavaScript does not. */
export function describedForm(decoder: gob.Decoder, type: gob.WireType, value: gob.DescribedValue): Form {
  const of = (id: number): gob.WireType => decoder.type(id)!;
  switch (type.kind) {
    case "bool":
      return { k: "bool", v: value };
    case "int":
    case "uint":
      return { k: type.kind, v: String(value) };
    case "float":
      return { k: "float", bits: canonicalBits(bitsOf(value as number)) };
    case "complex":
      return scalarForm("complex", value);
    case "string":
      return stringForm(value as string);
    case "bytes":
      return { k: "bytes", hex: (value as Buffer).toString("hex") };
    case "array":
    case "slice":
      return {
        k: type.kind,
        v: (value as gob.DescribedValue[]).map((elem) => describedForm(decoder, of(type.elem), elem)),
      };
    case "map": {
      const entries = [...(value as Map<gob.DescribedValue, gob.DescribedValue>)].map(
        ([k, v]) =>
          [describedForm(decoder, of(type.key), k), describedForm(decoder, of(type.elem), v)] as const,
      );
      return { k: "map", v: sortEntries(entries) };
    }
    case "struct": {
      const object = value as { [field: string]: gob.DescribedValue };
      const fields = new Map(type.fields.map((field) => [field.name, field.id]));
      return {
        k: "struct",
        v: Object.entries(object).map(([name, v]) => [
          name,
          describedForm(decoder, of(fields.get(name)!), v),
        ]),
      };
    }
    case "interface": {
      if (value === null) return { k: "interface", nil: true };
      const inner = value as gob.Described;
      return { k: "interface", concrete: inner.name, v: describedForm(decoder, inner.type, inner.value) };
    }
    default:
      return { k: "payload", hex: (value as gob.Opaque).payload.toString("hex") };
  }
}
