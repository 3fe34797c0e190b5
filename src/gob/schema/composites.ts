import { GobError } from "../errors.js";
import {
  type AnySchema,
  checkSchema,
  type Input,
  type LazyNode,
  type Output,
  resolve,
  Schema,
} from "./schema.js";
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
  checkSchema(elem);
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
  checkSchema(elem);
  if (!Number.isSafeInteger(length) || length < 0) throw schemaError(`bad array length ${String(length)}`);
  return new Schema({ kind: "array", elem, length }, options.name);
}

/** What a map schema takes: a Map, entries of which no key may repeat, or a plain object where keys can be strings. */
export type MapInput<K, V> =
  | ReadonlyMap<K, V>
  | (string extends K ? Readonly<Record<string, V>> : [K] extends [string] ? Readonly<Record<K, V>> : never);

/**
 * Go's `map[K]V` as a Map. K is none of slices, bytes and maps. Go tells a nil map from an empty one in struct fields: null and missing are nil when
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
  checkSchema(key);
  checkSchema(elem);
  const { kind } = key.node;
  if (kind === "slice" || kind === "bytes" || kind === "map")
    throw schemaError(`a map's key cannot be of kind ${kind}: Go has no such type`);
  return new Schema({ kind: "map", key, elem, nilable: options.nilable ?? false }, options.name);
}

/** A struct's schemas by Go's field names, in Go's order. */
export type Fields = Readonly<Record<string, AnySchema>>;
/**
 * What {@link struct} takes: {@link Fields}, in which a getter or {@link lazy} may lead back to the struct. `any`
 * because TypeScript would have to know the type of such a field in order to hold it against a narrower one.
 */
// biome-ignore lint/suspicious/noExplicitAny: see above
export type FieldsInit = Readonly<Record<string, any>>;
/** Every field may be missing: it is sent as Go's zero value. */
export type StructInput<F extends FieldsInit> = { readonly [K in keyof F]?: Input<F[K]> | undefined };
/** Every field is there; what the stream left out is Go's zero value. */
export type StructOutput<F extends FieldsInit> = { -readonly [K in keyof F]: Output<F[K]> };

/**
 * Go's struct as an object with Go's field names, in Go's order. An embedded type is a field with the type's name.
 * A field that leads back to the struct itself is a getter or a {@link lazy} schema:
 * `const node = struct({ Name: string, get Children() { return slice(node); } })`.
 * Throws `ERR_GOB_SCHEMA` when a name is not exported in Go (does not start with an upper-case letter), since gob sends
 * no such field, and when a field is no schema.
 */
export function struct<F extends FieldsInit>(
  fields: F,
  options: NameOptions = {},
): Schema<StructInput<F>, StructOutput<F>> {
  if (typeof fields !== "object" || fields === null) throw schemaError("struct must be given its fields");
  const entries = Object.entries(Object.getOwnPropertyDescriptors(fields)).map(([name, field]) => {
    // The general pattern alone takes a millisecond to compile.
    if (!/^[A-Z][A-Za-z0-9_]*$/.test(name) && !/^\p{Lu}[\p{L}\p{Nd}_]*$/u.test(name))
      throw schemaError(`${JSON.stringify(name)} is not the name of an exported Go field`);
    // A getter is asked when the schema is first used: what it refers to need not exist yet.
    const of: unknown = field.get === undefined ? field.value : lazy(() => field.get!.call(fields));
    if (!(of instanceof Schema)) throw schemaError(`the field ${name} is no schema`);
    return [name, of] as const;
  });
  return new Schema({ kind: "struct", fields: entries }, options.name);
}

/** Go's `struct{}`, the body of net/rpc's error answers. */
export const emptyStruct = struct({});

/**
 * Go's `*T`, flattened on the wire: null is nil. A pointer to a zero scalar, empty string or empty slice in a struct
 * field arrives as nil, as between Go peers.
 */
export function pointer<S extends AnySchema>(elem: S): Schema<Input<S> | null, Output<S> | null> {
  checkSchema(elem);
  return new Schema({ kind: "pointer", elem });
}

/** The schema that a function returns. */
type Returned<G> = G extends () => infer S ? S : never;

/** The schema of {@link lazy}, whose types are those of the schema that it leads to. */
export interface LazySchema<G> extends Schema<Input<Returned<G>>, Output<Returned<G>>> {}

/**
 * A schema that is looked up when first needed, for types that contain themselves. As a field of {@link struct} its
 * types are inferred: `const node = struct({ Name: string, Children: lazy(() => slice(node)) })`. Recursive types
 * without a struct (`type Tree []Tree`) need an annotation: `const tree: Schema<In, Out> = slice(lazy(() => tree))`.
 * Throws `ERR_GOB_SCHEMA` at its first use when `get` gives no schema, or one that refers to itself only.
 */
// The parameter is no function type, which would make TypeScript look into `get` at once and end in a circle.
// biome-ignore lint/complexity/noBannedTypes: see above
export function lazy<G extends Function>(get: G): LazySchema<G> {
  let found: AnySchema | undefined;
  const node: LazyNode = {
    kind: "lazy",
    get: () => {
      if (found === undefined) {
        const of: unknown = get();
        if (!(of instanceof Schema)) throw schemaError("a lazy schema or a getter that gives no schema");
        found = of;
      }
      return found;
    },
  };
  return new Schema(node) as LazySchema<G>;
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
 * Go's `interface{}` (and any other interface type). Gives the plain value of the registered concrete type, null for nil.
 *
 * Takes null, string (Go's `string`), boolean (`bool`), Uint8Array (`[]byte`), {@link value} for every other type, and
 * what it gave: an object that arrived in an interface keeps its Go type wherever it is put, and a place in which a
 * value arrived (a Map's key, a struct's field, an array's index) keeps that value's type for what is put there. Copies
 * of containers do not, see {@link keepTypes}. {@link typedAny} shows the types.
 */
export const any = new Schema<AnyInput, AnyOutput>({ kind: "interface", typed: false });

/** Like {@link any}, but gives `TypedValue | null`: the concrete type's name and schema with the value. */
export const typedAny = new Schema<AnyInput, TypedValue | null>({ kind: "interface", typed: true });
