import { GobError } from "../errors.js";
import type { MarshalerKind } from "../wire/kinds.js";

declare const input: unique symbol;
declare const output: unique symbol;

/** How an integer schema shows its values: `auto` gives a number when it is safe, else a bigint. */
export type IntegerForm = "number" | "bigint" | "auto";

export interface BoolNode {
  readonly kind: "bool";
}
export interface IntegerNode {
  readonly kind: "int" | "uint";
  /** The Go type: int, int8, ... or uint, ..., uintptr. */
  readonly go: string;
  readonly bits: 8 | 16 | 32 | 64;
  readonly form: IntegerForm;
}
export interface FloatNode {
  readonly kind: "float" | "complex";
  readonly go: string;
  /** The parts are float32. */
  readonly single: boolean;
}
export interface StringNode {
  readonly kind: "string";
  /** Shown as bytes: for Go strings that are not text. */
  readonly raw: boolean;
  /** Whether what is not Unicode becomes U+FFFD, whatever the stream's policy says. */
  readonly lenient: boolean;
}
export interface BytesNode {
  readonly kind: "bytes";
}
export interface SliceNode {
  readonly kind: "slice";
  readonly elem: AnySchema;
}
export interface ArrayNode {
  readonly kind: "array";
  readonly elem: AnySchema;
  readonly length: number;
}
export interface MapNode {
  readonly kind: "map";
  readonly key: AnySchema;
  readonly elem: AnySchema;
  /** Shows Go's nil map as null instead of an empty Map. */
  readonly nilable: boolean;
}
export interface StructNode {
  readonly kind: "struct";
  readonly fields: readonly (readonly [name: string, schema: AnySchema])[];
}
export interface PointerNode {
  readonly kind: "pointer";
  readonly elem: AnySchema;
}
export interface LazyNode {
  readonly kind: "lazy";
  readonly get: () => AnySchema;
}
export interface InterfaceNode {
  readonly kind: "interface";
  /** Interface values come out as TypedValue, so that the concrete type is kept. */
  readonly typed: boolean;
}
/** A Go type that marshals itself: GobEncoder, BinaryMarshaler or TextMarshaler. */
export interface CustomNode {
  readonly kind: "custom";
  readonly marshaler: MarshalerKind;
  readonly encode: (value: never) => Uint8Array;
  readonly decode: (payload: Buffer) => unknown;
  readonly zero: () => unknown;
  /** Whether Go leaves a struct field with this value out; never, for methods on the pointer. */
  readonly isZero: (value: never) => boolean;
  /** Types that Go describes along with this one: those of the Go struct's exported fields. */
  readonly alongside: readonly AnySchema[];
}

export type Node =
  | BoolNode
  | IntegerNode
  | FloatNode
  | StringNode
  | BytesNode
  | SliceNode
  | ArrayNode
  | MapNode
  | StructNode
  | PointerNode
  | LazyNode
  | InterfaceNode
  | CustomNode;

/**
 * Describes a Go type and its JavaScript form: `In` is what the encoder takes, `Out` what the decoder gives.
 * Made by the builders of this module; build each once and keep it, since compiled code hangs on it.
 */
export class Schema<In, Out> {
  /** Only a type: what the encoder takes. */
  declare readonly [input]?: (value: In) => void;
  /** Only a type: what the decoder gives. */
  declare readonly [output]?: Out;
  /** @internal */
  readonly node: Node;
  /** The Go type's name with its import path (`example.com/shop.Order`), or "" for an unnamed type. @internal */
  readonly goName: string;
  /** @internal */
  goType: GoType | undefined = undefined;
  /** Compiled functions, filled in by the encoder and decoder. @internal */
  readonly compiled: Compiled = { encode: undefined, decode: undefined };

  /** @internal */
  constructor(node: Node, goName = "") {
    this.node = node;
    this.goName = goName;
  }
}

/**
 * A Go type as gob sees it, pointers stripped: the identity under which an encoder remembers what it has sent.
 * Schemas that describe the same Go type share one.
 */
export interface GoType {
  /** Go's reflect.Type.Name(): "Point", or "" for an unnamed type. */
  readonly name: string;
  /** Go's reflect.Type.String(): "shop.Point", "[]int". */
  readonly text: string;
  /** The name that gob.Register would choose. */
  readonly registered: string;
  /** A schema of this type. */
  readonly schema: AnySchema;
}

/** Slots for what is compiled from a schema; typed by those who fill them. */
export interface Compiled {
  encode: unknown;
  decode: unknown;
}

/** A schema of any type: what functions take that only pass it on. */
export type AnySchema = Schema<never, unknown>;

/** What the encoder takes for a schema. */
export type Input<S> = S extends { readonly [input]?: (value: infer In) => void } ? In : never;
/** What the decoder gives for a schema. */
export type Output<S> = S extends Schema<never, infer Out> ? Out : never;

/** Go stops looking through pointers at this depth, too. */
const MAX_INDIRECTIONS = 100;

function endless(): GobError {
  return new GobError("ERR_GOB_SCHEMA", "gob: a schema that is nothing but a reference to itself");
}

/** For those whose compiler did not. By its shape: it may come from another copy of this library. Throws `ERR_GOB_SCHEMA`. */
export function checkSchema(given: unknown): void {
  const { node } = (given ?? {}) as Partial<AnySchema>;
  if (typeof node?.kind === "string") return;
  const what = typeof given === "object" && given !== null ? "an object" : String(given);
  throw new GobError("ERR_GOB_SCHEMA", `gob: a schema, such as gob.string, is needed, and ${what} is none`);
}

/** Follows lazy schemas. Throws `ERR_GOB_SCHEMA` when they lead nowhere. */
export function resolve(schema: AnySchema): AnySchema {
  let at = schema;
  for (let i = 0; at.node.kind === "lazy"; i++) {
    if (i > MAX_INDIRECTIONS) throw endless();
    at = at.node.get();
  }
  return at;
}

/** Follows lazy schemas and pointers: gob sees no pointers. Throws as {@link resolve}. */
export function base(schema: AnySchema): AnySchema {
  let at = resolve(schema);
  for (let i = 0; at.node.kind === "pointer"; i++) {
    if (i > MAX_INDIRECTIONS) throw endless();
    at = resolve(at.node.elem);
  }
  return at;
}

/** Whether values of a schema are interface values whose Go type is not shown, and so has to be remembered. */
export function hasArrivals(schema: AnySchema): boolean {
  const { node } = base(schema);
  return node.kind === "interface" && !node.typed;
}
