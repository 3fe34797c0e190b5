import { CommandError } from "../fail.js";

/** The version of the contract's format that this program writes and reads; docs/gen.md describes it. */
export const CONTRACT_VERSION = 1;

/** A type: the name of a builtin Go type (`any` is the empty interface), or how it is made of others. */
export type Ref =
  | string
  | { named: string }
  | { interface: string }
  | { pointer: Ref }
  | { slice: Ref }
  | { array: Ref; length: number }
  | { map: Ref; key: Ref }
  | { struct: Field[]; dropped?: Dropped[] }
  | { unsendable: string };

export interface Field {
  name: string;
  type: Ref;
  doc?: string;
  embedded?: boolean;
}

/** A field that gob leaves out, and why: `unexported`, `func` or `chan`. */
export interface Dropped {
  name: string;
  why: string;
}

export interface NamedType {
  package: string;
  packageName: string;
  name: string;
  doc?: string;
  /** Type arguments of a generic type's instance. */
  args?: Ref[];
  /** Absent when the type marshals itself. */
  type?: Ref;
  marshaler?: { kind: "gob" | "binary"; pointer: boolean; via?: string };
}

export interface Method {
  name: string;
  doc?: string;
  arg: Ref;
  reply: Ref;
  unsendable?: string;
}

export interface Service {
  type: string;
  name: string;
  package: string;
  served: string[];
  doc?: string;
  methods: Method[];
}

export interface Registration {
  name: string;
  type: Ref;
  package: string;
}

export interface Constant {
  name: string;
  package: string;
  doc?: string;
  type?: Ref;
  kind: "bool" | "string" | "int" | "float";
  value: string;
}

export interface PluginType {
  type: string;
  name: string;
  package: string;
  doc?: string;
  service?: string;
}

export interface PluginMap {
  name: string;
  package: string;
  doc?: string;
  plugins: Record<string, string>;
}

export interface Handshake {
  name: string;
  package: string;
  doc?: string;
  protocolVersion: number;
  magicCookieKey: string;
  magicCookieValue: string;
}

/** What a peer needs to know of a Go program's net/rpc services. */
export interface Contract {
  goplugContract: number;
  from: "source" | "binary";
  go: string;
  packages: string[];
  modules: Record<string, string>;
  missing?: string[];
  services: Service[];
  types: Record<string, NamedType>;
  registrations: Registration[];
  constants: Constant[];
  plugins: PluginType[];
  pluginSets: PluginMap[];
  handshakes: Handshake[];
  warnings?: string[];
}

type Check = (value: unknown, at: string) => void;

function bad(at: string, wanted: string): CommandError {
  return new CommandError(`not a contract: ${at} is not ${wanted}`);
}

const text: Check = (value, at) => {
  if (typeof value !== "string") throw bad(at, "a string");
};
const flag: Check = (value, at) => {
  if (typeof value !== "boolean") throw bad(at, "true or false");
};
const natural: Check = (value, at) => {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw bad(at, "a whole number");
};
const identifier: Check = (value, at) => {
  text(value, at);
  if (!/^[\p{L}_][\p{L}\p{Nd}_]*$/u.test(value as string)) throw bad(at, "an identifier");
};
const oneOf =
  (...words: string[]): Check =>
  (value, at) => {
    if (!words.includes(value as string)) throw bad(at, `one of ${words.join(", ")}`);
  };
const maybe =
  (check: Check): Check =>
  (value, at) => {
    if (value !== undefined) check(value, at);
  };
const listOf =
  (check: Check): Check =>
  (value, at) => {
    if (!Array.isArray(value)) throw bad(at, "a list");
    for (const [i, item] of value.entries()) check(item, `${at}[${i}]`);
  };
const mapOf =
  (check: Check): Check =>
  (value, at) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw bad(at, "an object");
    for (const [key, item] of Object.entries(value)) check(item, `${at}[${JSON.stringify(key)}]`);
  };
const shape =
  (fields: Record<string, Check>): Check =>
  (value, at) => {
    mapOf(() => {})(value, at);
    for (const [key, check] of Object.entries(fields))
      check((value as Record<string, unknown>)[key], `${at}.${key}`);
  };

/** Go's own types that gob can send. */
const BUILTIN = new Set(
  "bool int int8 int16 int32 int64 uint uint8 uint16 uint32 uint64 uintptr float32 float64 complex64 complex128 string any".split(
    " ",
  ),
);

const ref: Check = (value, at) => {
  if (typeof value === "string") {
    if (!BUILTIN.has(value)) throw bad(at, "a builtin Go type");
    return;
  }
  mapOf(() => {})(value, at);
  const of = value as Record<string, unknown>;
  if ("named" in of) text(of.named, `${at}.named`);
  else if ("interface" in of) text(of.interface, `${at}.interface`);
  else if ("pointer" in of) ref(of.pointer, `${at}.pointer`);
  else if ("slice" in of) ref(of.slice, `${at}.slice`);
  else if ("unsendable" in of) text(of.unsendable, `${at}.unsendable`);
  else if ("array" in of) {
    ref(of.array, `${at}.array`);
    natural(of.length, `${at}.length`);
  } else if ("map" in of) {
    ref(of.key, `${at}.key`);
    ref(of.map, `${at}.map`);
  } else if ("struct" in of) {
    listOf(shape({ name: identifier, type: ref, doc: maybe(text), embedded: maybe(flag) }))(
      of.struct,
      `${at}.struct`,
    );
    maybe(listOf(shape({ name: text, why: text })))(of.dropped, `${at}.dropped`);
  } else throw bad(at, "a type");
};

const contract = shape({
  goplugContract: natural,
  from: oneOf("source", "binary"),
  go: text,
  packages: listOf(text),
  modules: mapOf(text),
  missing: maybe(listOf(text)),
  services: listOf(
    shape({
      type: text,
      name: identifier,
      package: text,
      served: listOf(text),
      doc: maybe(text),
      methods: listOf(
        shape({ name: identifier, doc: maybe(text), arg: ref, reply: ref, unsendable: maybe(text) }),
      ),
    }),
  ),
  types: mapOf(
    shape({
      package: text,
      packageName: identifier,
      name: text,
      doc: maybe(text),
      args: maybe(listOf(ref)),
      type: maybe(ref),
      marshaler: maybe(shape({ kind: oneOf("gob", "binary"), pointer: flag, via: maybe(text) })),
    }),
  ),
  registrations: listOf(shape({ name: text, type: ref, package: text })),
  constants: listOf(
    shape({
      name: identifier,
      package: text,
      doc: maybe(text),
      type: maybe(ref),
      kind: oneOf("bool", "string", "int", "float"),
      value: text,
    }),
  ),
  plugins: listOf(
    shape({ type: text, name: identifier, package: text, doc: maybe(text), service: maybe(text) }),
  ),
  pluginSets: listOf(shape({ name: text, package: text, doc: maybe(text), plugins: mapOf(text) })),
  handshakes: listOf(
    shape({
      name: text,
      package: text,
      doc: maybe(text),
      protocolVersion: natural,
      magicCookieKey: text,
      magicCookieValue: text,
    }),
  ),
  warnings: maybe(listOf(text)),
});

/** Reads a contract. Throws {@link CommandError} when it is none, says what is wrong and where. */
export function parseContract(json: string): Contract {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw new CommandError(`not a contract: ${(error as Error).message}`);
  }
  const version = (value as { goplugContract?: unknown } | null)?.goplugContract;
  if (version === undefined) throw new CommandError("not a contract: it has no goplugContract");
  if (version !== CONTRACT_VERSION)
    throw new CommandError(
      `the contract's format is version ${String(version)}; this goplug reads ${CONTRACT_VERSION}`,
    );
  contract(value, "contract");
  const checked = value as Contract;
  const used = JSON.stringify(checked).matchAll(/"named":\s*("(?:[^"\\]|\\.)*")/g);
  for (const [, name] of used)
    if (checked.types[JSON.parse(name!) as string] === undefined)
      throw new CommandError(`not a contract: it refers to the type ${name}, which it does not have`);
  return checked;
}
