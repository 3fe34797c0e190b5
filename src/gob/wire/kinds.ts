/** Ids of the types that need no definition (doc.go of encoding/gob). */
export const BUILTIN_IDS = {
  bool: 1,
  int: 2,
  uint: 3,
  float: 4,
  bytes: 5,
  string: 6,
  complex: 7,
  interface: 8,
} as const;

/** A kind of type that every stream knows. */
export type BuiltinKind = keyof typeof BUILTIN_IDS;

/** The kinds that a stream defines, in the order of the fields of Go's wireType (type.go). */
export const DEFINED_KINDS = [
  "array",
  "slice",
  "struct",
  "map",
  "gobEncoder",
  "binaryMarshaler",
  "textMarshaler",
] as const;

/** A kind of type that a stream defines before it is used. */
export type DefinedKind = (typeof DEFINED_KINDS)[number];

/** What kind of type a stream holds. `unknown` is a definition of none, which can only be an error. */
export type WireKind = BuiltinKind | DefinedKind | "unknown";

/** The kinds of types that marshal themselves, by the pair of methods that does it. */
export const MARSHALER_KINDS = {
  gob: "gobEncoder",
  binary: "binaryMarshaler",
  text: "textMarshaler",
} as const satisfies Record<string, DefinedKind>;

export type MarshalerKind = (typeof MARSHALER_KINDS)[keyof typeof MARSHALER_KINDS];

/** The least id that a definition may have. */
export const LEAST_DEFINED_ID = 64;
/** Where this encoder's ids begin, as doc.go has it; since Go 1.21 a fresh program's begin one earlier. */
export const FIRST_ENCODED_ID = 65;

/** The id of a kind of type that needs no definition. */
export function builtinId(kind: string): number | undefined {
  return Object.hasOwn(BUILTIN_IDS, kind) ? BUILTIN_IDS[kind as BuiltinKind] : undefined;
}

/** The wireType field under which a definition of this kind is sent. */
export function definitionField(kind: DefinedKind): number {
  return DEFINED_KINDS.indexOf(kind) + 1;
}

/** Whether values of this kind are payloads that only the type's own methods can read. */
export function isMarshaler(kind: WireKind): boolean {
  return kind === "gobEncoder" || kind === "binaryMarshaler" || kind === "textMarshaler";
}
