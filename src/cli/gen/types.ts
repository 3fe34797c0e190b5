import { docComment } from "./comment.js";
import type { Contract, Dropped, Field, NamedType, Ref } from "./contract.js";
import { propertyName } from "./names.js";

/** How a Go type is written in TypeScript. */
export interface Written {
  /** What the decoder gives. */
  readonly out: string;
  /** What the encoder takes. */
  readonly in: string;
  /** The expression of the schema. */
  readonly schema: string;
}

export interface TypeOptions {
  /** How 64-bit integers of fixed width are shown. */
  readonly int64: "bigint" | "number";
  /** A nil map is shown as null instead of an empty Map. */
  readonly nilableMaps: boolean;
  /** Schemas of the user's own for types that marshal themselves: Go's name to the imported identifier. */
  readonly codecs: ReadonlyMap<string, string>;
}

const same = (type: string, schema: string): Written => ({ out: type, in: type, schema });

/** Types that goplug has codecs for, beside those that gob sees as any other. */
const KNOWN: Readonly<Record<string, Written>> = {
  "time.Time": { out: "gob.GoTime", in: "gob.GoTime | Date", schema: "gob.time" },
  "math/big.Int": same("bigint", "gob.bigInt"),
  "math/big.Rat": same("gob.Rational", "gob.bigRat"),
  "math/big.Float": same("gob.BigFloat", "gob.bigFloat"),
  "net/url.URL": { out: "string", in: "string | URL", schema: "gob.url" },
  "net/netip.Addr": same("string", "gob.netipAddr"),
  "github.com/google/uuid.UUID": same("string", "gob.uuid"),
};

const NUMBERS = new Set("int int8 int16 int32 uint uint8 uint16 uint32 float64 float32".split(" "));

/** Writes the types of a contract, under the names that they have been given. */
export class TypeWriter {
  readonly #contract: Contract;
  readonly #names: ReadonlyMap<string, string>;
  readonly #options: TypeOptions;
  readonly #literals: ReadonlyMap<string, readonly string[]>;

  constructor(contract: Contract, names: ReadonlyMap<string, string>, options: TypeOptions) {
    this.#contract = contract;
    this.#names = names;
    this.#options = options;
    this.#literals = stringLiterals(contract);
  }

  /**
   * A type as it is written where it is used. Elements are written as what they point to, since pointers do not show on the wire, and gob
   * refuses nil ones there; `exact` keeps the pointers, by which the registry tells Go's types apart.
   */
  use(ref: Ref, exact = false): Written {
    if (typeof ref === "string") return this.#builtin(ref);
    if ("named" in ref) return this.#named(ref.named);
    if ("interface" in ref) return this.#builtin("any");
    if ("pointer" in ref) {
      const elem = this.use(ref.pointer, exact);
      return { out: orNull(elem.out), in: orNull(elem.in), schema: `gob.pointer(${elem.schema})` };
    }
    if ("slice" in ref) {
      if (this.#isByte(ref.slice)) return { out: "Buffer", in: "Uint8Array | null", schema: "gob.bytes" };
      const elem = this.#element(ref.slice, exact);
      return {
        out: `${inArray(elem.out)}[]`,
        in: `readonly ${inArray(elem.in)}[] | null`,
        schema: `gob.slice(${elem.schema})`,
      };
    }
    if ("array" in ref) {
      const elem = this.#element(ref.array, exact);
      return {
        out: `${inArray(elem.out)}[]`,
        in: `readonly ${inArray(elem.in)}[]`,
        schema: `gob.array(${elem.schema}, ${ref.length})`,
      };
    }
    if ("map" in ref) return this.#map(ref, exact);
    if ("struct" in ref) return this.#structure(ref.struct, exact);
    throw new Error(`a type that gob cannot send got this far: ${ref.unsendable}`);
  }

  #builtin(name: string): Written {
    if (name === "any") return { out: "gob.AnyOutput", in: "gob.AnyInput", schema: "gob.any" };
    if (NUMBERS.has(name)) return same("number", `gob.${name}`);
    if (name === "bool") return same("boolean", "gob.bool");
    if (name === "string") return same("string", "gob.string");
    if (name.startsWith("complex")) return same("{ re: number; im: number }", `gob.${name}`);
    if (this.#options.int64 === "number" && name !== "uintptr") return same("number", `gob.${name}Number`);
    return { out: "bigint", in: "bigint | number", schema: `gob.${name}` };
  }

  #element(ref: Ref, exact: boolean): Written {
    let at = ref;
    while (!exact && typeof at === "object" && "pointer" in at) at = at.pointer;
    return this.use(at, exact);
  }

  /** What a reference is when its names are looked through. */
  #underlying(ref: Ref): Ref {
    let at = ref;
    while (typeof at === "object" && "named" in at) {
      const { type, marshaler } = this.#contract.types[at.named]!;
      if (type === undefined || marshaler !== undefined) break;
      at = type;
    }
    return at;
  }

  /** Whether a type's values are bigints. */
  isBigint(ref: Ref): boolean {
    const under = this.#underlying(ref);
    return typeof under === "string" && this.#builtin(under).out === "bigint";
  }

  #isByte(ref: Ref): boolean {
    return this.#underlying(ref) === "uint8";
  }

  #map({ key, map }: { key: Ref; map: Ref }, exact: boolean): Written {
    const [k, v] = [this.#element(key, exact), this.#element(map, exact)];
    const options = this.#options.nilableMaps ? ", { nilable: true }" : "";
    const plain = this.#underlying(key) === "string" ? ` | { readonly [key: string]: ${v.in} }` : "";
    const nil = this.#options.nilableMaps ? " | null" : "";
    return {
      out: `Map<${k.out}, ${v.out}>${nil}`,
      in: `ReadonlyMap<${k.in}, ${v.in}>${plain} | null`,
      schema: `gob.map(${k.schema}, ${v.schema}${options})`,
    };
  }

  #structure(fields: readonly Field[], exact: boolean): Written {
    if (fields.length === 0) return same("object", "gob.emptyStruct");
    const written = fields.map((field) => [propertyName(field.name), this.use(field.type, exact)] as const);
    return {
      out: `{ ${written.map(([name, w]) => `${name}: ${w.out}`).join("; ")} }`,
      in: `{ ${written.map(([name, w]) => `readonly ${name}?: ${orUndefined(w.in)}`).join("; ")} }`,
      schema: `gob.struct({ ${written.map(([name, w]) => `${name}: ${w.schema}`).join(", ")} })`,
    };
  }

  #named(goName: string): Written {
    const codec = this.#options.codecs.get(goName);
    if (codec !== undefined)
      return { out: `gob.Output<typeof ${codec}>`, in: `gob.Input<typeof ${codec}>`, schema: codec };
    const known = this.#known(goName);
    if (known !== undefined) return known;
    const name = this.#names.get(goName)!;
    return { out: name, in: this.#hasInput(goName) ? `${name}Input` : name, schema: name };
  }

  /** Types that are written in full wherever they are used. */
  #known(goName: string): Written | undefined {
    const known = Object.hasOwn(KNOWN, goName) ? KNOWN[goName] : undefined;
    if (known !== undefined) return known;
    const { via } = this.#contract.types[goName]?.marshaler ?? {};
    if (via === undefined || !Object.hasOwn(KNOWN, via)) return undefined;
    // An embedded time.Time marshals for the type around it.
    return { ...KNOWN[via]!, schema: `gob.named(${JSON.stringify(goName)}, ${KNOWN[via]!.schema})` };
  }

  /** Whether a named type is declared in the file. */
  isDeclared(goName: string): boolean {
    return !this.#options.codecs.has(goName) && this.#known(goName) === undefined;
  }

  #hasInput(goName: string): boolean {
    const { type, marshaler } = this.#contract.types[goName]!;
    if (marshaler !== undefined) return true;
    const under = this.#underlying(type!);
    if (typeof under === "string") {
      const written = this.#builtin(under);
      return written.in !== written.out;
    }
    return !("struct" in under && under.struct.length === 0);
  }

  /** The declarations of a named type: its TypeScript types and its schema. */
  declare(goName: string): string {
    const of = this.#contract.types[goName]!;
    const name = this.#names.get(goName)!;
    if (of.marshaler !== undefined) return this.#declareOpaque(goName, name, of);
    const type = of.type!;
    if (typeof type === "object" && "struct" in type && type.struct.length > 0)
      return this.#declareStruct(goName, name, of, type.struct, type.dropped ?? []);
    const { out, in: input, schema } = this.use(type);
    const literals = this.#literals.get(goName);
    const shown = literals === undefined ? out : `${literals.join(" | ")} | (string & Record<never, never>)`;
    const hasInput = this.#hasInput(goName);
    const described = hasInput ? `${name}Input` : name;
    const isSimple = typeof type === "string";
    const named = `gob.named(${JSON.stringify(goName)}, ${schema})`;
    return [
      docComment(of.doc),
      `export type ${name} = ${shown};\n`,
      hasInput ? `/** What is taken for a {@link ${name}}. */\nexport type ${name}Input = ${input};\n` : "",
      `/** Go's ${goName}. */\n`,
      `export const ${name}: gob.Schema<${described}, ${name}> = ${isSimple ? named : `gob.lazy(() => ${named})`};\n`,
    ].join("");
  }

  #declareOpaque(goName: string, name: string, { doc, marshaler }: NamedType): string {
    const method = marshaler!.kind === "gob" ? "GobEncode" : "MarshalBinary";
    const schema = [
      `export const ${name}: gob.Schema<${name}Input, ${name}> = gob.custom<${name}Input, ${name}>({`,
      `  name: ${JSON.stringify(goName)},`,
      `  marshaler: ${JSON.stringify(marshaler!.kind)},`,
      "  encode: (payload) => payload,",
      "  decode: (payload) => payload,",
      "  zero: () => Buffer.alloc(0),",
      "  isZero: (payload) => payload.length === 0,",
      "});\n",
    ].join("\n");
    return [
      docComment(
        `${doc ?? ""}\n\nWhat Go's ${method} writes; --codec ${goName}=FILE#NAME gives it a form.`.trim(),
      ),
      `export type ${name} = Buffer;\n`,
      `/** What is taken for a {@link ${name}}; empty is Go's zero value. */\nexport type ${name}Input = Uint8Array;\n`,
      `/** Go's ${goName}. */\n`,
      schema,
    ].join("");
  }

  #declareStruct(
    goName: string,
    name: string,
    { doc }: NamedType,
    fields: readonly Field[],
    dropped: readonly Dropped[],
  ): string {
    const written = fields.map((field) => ({
      field,
      name: propertyName(field.name),
      ...this.use(field.type),
    }));
    const members = (line: (w: (typeof written)[number]) => string): string =>
      written.map((w) => docComment(w.field.doc, "  ") + line(w)).join("");
    return [
      docComment(doc),
      `export interface ${name} {\n`,
      members((w) => `  ${w.name}: ${w.out};\n`),
      leftOut(dropped),
      "}\n",
      `/** What is taken for a {@link ${name}}: a field that is missing is Go's zero value. */\n`,
      `export interface ${name}Input {\n`,
      members((w) => `  readonly ${w.name}?: ${orUndefined(w.in)};\n`),
      "}\n",
      `/** Go's ${goName}. */\n`,
      `export const ${name}: gob.Schema<${name}Input, ${name}> = gob.lazy(() =>\n`,
      "  gob.struct(\n    {\n",
      ...written.map((w) => `      ${w.name}: ${w.schema},\n`),
      `    },\n    { name: ${JSON.stringify(goName)} },\n  ),\n);\n`,
    ].join("");
  }
}

function leftOut(dropped: readonly Dropped[]): string {
  if (dropped.length === 0) return "";
  return `  // Not sent by gob: ${dropped.map(({ name, why }) => `${name} (${why})`).join(", ")}.\n`;
}

/** The string constants of each named string type, to be offered by editors. */
function stringLiterals({ constants }: Contract): Map<string, string[]> {
  const literals = new Map<string, Set<string>>();
  for (const { type, kind, value } of constants) {
    if (kind !== "string" || typeof type !== "object" || !("named" in type)) continue;
    const of = literals.get(type.named) ?? new Set();
    literals.set(type.named, of.add(JSON.stringify(value)));
  }
  return new Map([...literals].map(([name, of]) => [name, [...of]]));
}

const inArray = (type: string): string => (/[ |]/.test(type) ? `(${type})` : type);
const orNull = (type: string): string => (/(^|\| )null$/.test(type) ? type : `${type} | null`);
const orUndefined = (type: string): string => (type === "gob.AnyInput" ? type : `${type} | undefined`);
