import { goTypeOf } from "./go-type.js";
import { type AnySchema, checkSchema, type Input } from "./schema.js";

/** A value together with its Go type, for a place that could hold any type. */
export class TypedValue<T = unknown> {
  /** The schema of the Go type. */
  readonly schema: AnySchema;
  /** The value, as the schema takes and gives it. */
  readonly value: T;
  /** The Go type as it is registered: `int`, `[]string`, `example.com/shop.Order`. */
  readonly name: string;

  /** The same as the function `value`, unchecked; the name defaults to what the schema's type is registered under. */
  constructor(schema: AnySchema, value: T, name: string = goTypeOf(schema).registered) {
    this.schema = schema;
    this.value = value;
    this.name = name;
  }
}

/** Gives a value its Go type: `value(int, 5)` is Go's `any(5)`. */
export function value<S extends AnySchema>(schema: S, v: Input<S>): TypedValue<Input<S>> {
  checkSchema(schema);
  return new TypedValue(schema, v);
}

/**
 * What an interface schema takes: null, string, boolean, Uint8Array, a {@link TypedValue} (see {@link value}), and
 * whatever came out of an interface schema, which goes back as the Go type that it was. All else is refused when
 * it is encoded: TypeScript cannot tell where a number comes from.
 */
export type AnyInput = unknown;
/** What an interface schema gives: the plain form of whichever registered type arrived. */
export type AnyOutput = unknown;
