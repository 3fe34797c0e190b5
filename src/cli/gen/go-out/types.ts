import { type AnySchema, inspect, type SchemaInfo } from "../../../gob/index.js";
import { CommandError } from "../../fail.js";

type Info = NonNullable<ReturnType<typeof inspect>>;

/** Types of Go's standard library and of go-plugin that schemas have by these names. */
const KNOWN: Readonly<Record<string, readonly [path: string, name: string]>> = {
  "time.Time": ["time", "time.Time"],
  "time.Duration": ["time", "time.Duration"],
  "math/big.Int": ["math/big", "big.Int"],
  "math/big.Rat": ["math/big", "big.Rat"],
  "math/big.Float": ["math/big", "big.Float"],
  "net/url.URL": ["net/url", "url.URL"],
  "net/url.Values": ["net/url", "url.Values"],
  "net/netip.Addr": ["net/netip", "netip.Addr"],
  "net.IP": ["net", "net.IP"],
  "net.IPMask": ["net", "net.IPMask"],
  "net/http.Header": ["net/http", "http.Header"],
  "encoding/json.RawMessage": ["encoding/json", "json.RawMessage"],
  "encoding/json.Number": ["encoding/json", "json.Number"],
  "github.com/google/uuid.UUID": ["github.com/google/uuid", "uuid.UUID"],
  "github.com/hashicorp/go-plugin.BasicError": ["github.com/hashicorp/go-plugin", "plugin.BasicError"],
};

const METHODS: Readonly<Record<string, readonly [encode: string, decode: string]>> = {
  gobEncoder: ["GobEncode", "GobDecode"],
  binaryMarshaler: ["MarshalBinary", "UnmarshalBinary"],
};

/** Go's words, and names that the generated file uses for its own ends. */
const TAKEN = new Set(
  `break case chan const continue default defer else fallthrough for func go goto if import interface map package range return select
  struct switch type var any bool byte error int string plugin gob rpc`.split(/\s+/),
);

/** Writes Go types for schemas: declares those with a name, and structs without one under a name made of where they stand. */
export class GoTypes {
  readonly imports = new Set<string>();
  /** The declarations so far, in the order in which they were met. */
  readonly declarations: string[] = [];
  readonly #names = new Map<AnySchema, string>();
  readonly #byGoName = new Map<string, string>();
  readonly #used = new Set<string>(TAKEN);

  /** Takes a name for something else of the file. */
  take(name: string): string {
    const free = this.#free(name);
    this.#used.add(free);
    return free;
  }

  /** How a schema's Go type is written where it is used; `at` names an unnamed struct. */
  use(schema: AnySchema, at: string): string {
    const of = inspect(schema);
    if (of === undefined) throw new CommandError(`${at}: not a schema`);
    const known = Object.hasOwn(KNOWN, of.name) ? KNOWN[of.name] : undefined;
    if (known !== undefined) {
      this.imports.add(known[0]);
      return known[1];
    }
    if (of.kind === "pointer") return `*${this.use(of.elem!, at)}`;
    if (of.name !== "" || (of.kind === "struct" && of.fields!.length > 0)) return this.#declared(of, at);
    return this.#composite(of, at);
  }

  #composite(of: Info, at: string): string {
    switch (of.kind) {
      case "bytes":
        return "[]byte";
      case "interface":
        return "any";
      case "slice":
        return `[]${this.use(of.elem!, at)}`;
      case "array":
        return `[${of.length}]${this.use(of.elem!, at)}`;
      case "map":
        return `map[${this.use(of.key!, `${at}Key`)}]${this.use(of.elem!, at)}`;
      case "struct":
        return "struct{}";
      case "custom":
        throw new CommandError(`${at}: a type that marshals itself needs a name`);
      default:
        return of.kind;
    }
  }

  #declared(of: Info, at: string): string {
    const known = this.#names.get(of.identity) ?? this.#byGoName.get(of.name);
    if (known !== undefined) return known;
    const wanted = of.name === "" ? at : exported(of.name.replace(/\[.*$/s, "").split(".").at(-1)!);
    const name = this.take(wanted);
    this.#names.set(of.identity, name);
    if (of.name !== "") this.#byGoName.set(of.name, name);
    // Its place, before its parts take theirs: a type may contain itself.
    const place = this.declarations.push("") - 1;
    this.declarations[place] = this.#declaration(of, name, at);
    return name;
  }

  #declaration(of: SchemaInfo & { identity: AnySchema }, name: string, at: string): string {
    const origin = of.name === "" ? "" : `// ${name} is ${of.name}.\n`;
    if (of.kind === "custom") return origin + this.#opaque(of, name);
    if (of.kind !== "struct") return `${origin}type ${name} ${this.#composite(of, at)}\n`;
    const fields = of.fields!.map(([field, schema]) => [field, this.use(schema, `${name}${field}`)] as const);
    if (fields.length === 0) return `${origin}type ${name} struct{}\n`;
    const width = Math.max(...fields.map(([field]) => [...field].length));
    const lines = fields.map(
      ([field, type]) => `\t${field}${" ".repeat(width - [...field].length + 1)}${type}\n`,
    );
    return `${origin}type ${name} struct {\n${lines.join("")}}\n`;
  }

  #opaque({ marshaler }: SchemaInfo, name: string): string {
    const methods = METHODS[marshaler!];
    if (methods === undefined) throw new CommandError(`${name}: Go's gob does not use MarshalText`);
    const [encode, decode] = methods;
    return [
      `type ${name} struct{ Payload []byte }\n\n`,
      `// ${encode} gives the payload as it travels.\n`,
      `func (v ${name}) ${encode}() ([]byte, error) { return v.Payload, nil }\n\n`,
      `// ${decode} takes the payload as it travelled.\n`,
      `func (v *${name}) ${decode}(payload []byte) error {\n`,
      "\tv.Payload = append([]byte(nil), payload...)\n\treturn nil\n}\n",
    ].join("");
  }

  #free(name: string): string {
    let candidate = name;
    for (let i = 2; this.#used.has(candidate); i++) candidate = `${name}${i}`;
    return candidate;
  }
}

/** A name that Go exports. */
export function exported(name: string): string {
  const upper = name.slice(0, 1).toUpperCase() + name.slice(1);
  const safe = upper.replace(/[^\p{L}\p{Nd}_]/gu, "_");
  return /^\p{Lu}/u.test(safe) ? safe : `X${safe}`;
}
