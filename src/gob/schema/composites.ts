import { GobError } from "../errors.js";
import { type AnySchema, type Input, type Output, resolve, Schema } from "./schema.js";
import type { AnyInput, AnyOutput, TypedValue } from "./typed-value.js";

/** Options of the builders that can make a named Go type. */
export interface NameOptions {
  /** The type's name with its import path, as `example.com/shop.Order`; peers ignore it except in interface values. */
  name?: string;
}

function schemaError(text: string): GobError {
  return new GobError("ERR_GOB_SCHEMA", `gob: ${text}`);
}

/** Go's `[]T` as an array. Nil and empty are the same on the wire; null is taken as nil. Throws for `[]uint8`: use bytes. */
export function slice<S extends AnySchema>(
  elem: S,
  options: NameOptions = {},
): Schema<readonly Input<S>[] | null, Output<S>[]> {
  const { node } = elem;
  if (node.kind === "uint" && node.bits === 8)
    throw schemaError("[]uint8 has a form of its own: use gob.bytes");
  return new Schema({ kind: "slice", elem }, options.name);
}

/** Go's `[N]T` as an array of exactly that length; missing is N zero values. */
export function array<S extends AnySchema>(
  elem: S,
  length: number,
  options: NameOptions = {},
): Schema<readonly Input<S>[], Output<S>[]> {
  if (!Number.isSafeInteger(length) || length < 0) throw schemaError(`bad array length ${length}`);
  return new Schema({ kind: "array", elem, length }, options.name);
}

/** What a map schema takes: a Map, entries of which no key may repeat, or a plain object where the keys are strings. */
export type MapInput<K, V> = ReadonlyMap<K, V> | ([K] extends [string] ? Readonly<Record<string, V>> : never);

/**
 * Go's `map[K]V` as a Map. Go tells a nil map from an empty one in struct fields: null and missing are nil when
 * sent. Received, a nil map is an empty Map, or null with the option `nilable`.
 */
export function map<K extends AnySchema, V extends AnySchema>(
  key: K,
  elem: V,
  options: NameOptions & { nilable: true },
): Schema<MapInput<Input<K>, Input<V>> | null, Map<Output<K>, Output<V>> | null>;
export function map<K extends AnySchema, V extends AnySchema>(
  key: K,
  elem: V,
  options?: NameOptions & { nilable?: false },
): Schema<MapInput<Input<K>, Input<V>> | null, Map<Output<K>, Output<V>>>;
export function map(
  key: AnySchema,
  elem: AnySchema,
  options: NameOptions & { nilable?: boolean } = {},
): AnySchema {
  return new Schema({ kind: "map", key, elem, nilable: options.nilable ?? false }, options.name);
}

export type Fields = Readonly<Record<string, AnySchema>>;
/** Every field may be missing: it is sent as Go's zero value. */
export type StructInput<F extends Fields> = { readonly [K in keyof F]?: Input<F[K]> | undefined };
/** Every field is there; what the stream left out is Go's zero value. */
export type StructOutput<F extends Fields> = { [K in keyof F]: Output<F[K]> };

/**
 * Go's struct as an object with Go's field names, in Go's order. An embedded type is a field with the type's name.
 * Throws when a name is not exported in Go (does not start with an upper-case letter), since gob sends no such field.
 */
export function struct<F extends Fields>(
  fields: F,
  options: NameOptions = {},
): Schema<StructInput<F>, StructOutput<F>> {
  const entries = Object.entries(fields);
  for (const [name] of entries)
    if (!/^\p{Lu}[\p{L}\p{Nd}_]*$/u.test(name))
      throw schemaError(`${JSON.stringify(name)} is not the name of an exported Go field`);
  return new Schema({ kind: "struct", fields: entries }, options.name);
}

/** Go's `struct{}`, the body of net/rpc's error answers. */
export const emptyStruct = struct({});

/**
 * Go's `*T`, flattened on the wire: null is nil. A pointer to a zero scalar, empty string or empty slice in a struct
 * field arrives as nil, as between Go peers.
 */
export function pointer<S extends AnySchema>(elem: S): Schema<Input<S> | null, Output<S> | null> {
  return new Schema({ kind: "pointer", elem });
}

/** A schema that is looked up when first needed, for types that contain themselves. */
export function lazy<In, Out>(get: () => Schema<In, Out>): Schema<In, Out> {
  let found: Schema<In, Out> | undefined;
  return new Schema<In, Out>({
    kind: "lazy",
    get: () => {
      found ??= get();
      return found;
    },
  });
}

/** The same schema as a named Go type: `type Weekday int` is `named("example.com/cal.Weekday", int)`. */
export function named<In, Out>(name: string, schema: Schema<In, Out>): Schema<In, Out> {
  const { node } = resolve(schema);
  if (name === "") throw schemaError("a named type needs a name");
  if (node.kind === "pointer")
    throw schemaError("a pointer type cannot be named here: name what it points to");
  return new Schema<In, Out>(node, name);
}

/**
 * Go's `interface{}` (and any other interface type). Takes null, string, Uint8Array, boolean, and `value(schema, v)`
 * for all else. Gives the plain value of the registered concrete type; {@link typedAny} keeps the type.
 */
export const any = new Schema<AnyInput, AnyOutput>({ kind: "interface", typed: false });

/** Like {@link any}, but gives `TypedValue | null`: the concrete type's name and schema with the value. */
export const typedAny = new Schema<AnyInput, TypedValue | null>({ kind: "interface", typed: true });
