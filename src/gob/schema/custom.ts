import { MARSHALER_KINDS } from "../wire/kinds.js";
import { type AnySchema, Schema } from "./schema.js";

/** How a Go type that marshals itself is shown in JavaScript. */
export interface CustomType<In, Out = In> {
  /** The Go type's name with its import path, as `example.com/shop.Money`. */
  name: string;
  /** Which pair of methods the Go type has: GobEncode/GobDecode, MarshalBinary/UnmarshalBinary, or the text ones. */
  marshaler: "gob" | "binary" | "text";
  /** The payload that the Go methods would write. What it throws becomes `ERR_GOB_MARSHALER`. */
  encode(value: In): Uint8Array;
  /** The value of a payload, which it may keep. */
  decode(payload: Buffer): Out;
  /** Go's zero value, for a field that did not arrive, and for a missing field that is sent all the same. */
  zero(): Out & In;
  /**
   * Whether a struct field with this value is left out, as Go does when every byte of the Go value is zero. Leave it
   * out when the Go methods have pointer receivers: Go then always sends the field.
   */
  isZero?(value: In): boolean;
  /**
   * The types of the Go struct's exported fields, if it is a struct: Go defines them in the stream although no value
   * of theirs is sent. Default none; peers do not miss them.
   */
  alongside?: readonly AnySchema[];
}

/**
 * Go's GobEncoder, BinaryMarshaler and TextMarshaler types: an opaque payload with a codec of its own. One type
 * argument, as in `custom<bigint>({...})`, stands for both what is taken and what is given.
 */
export function custom<In, Out = In>(type: CustomType<In, Out>): Schema<In, Out> {
  return new Schema<In, Out>(
    {
      kind: "custom",
      marshaler: MARSHALER_KINDS[type.marshaler],
      encode: (value) => type.encode(value),
      decode: (payload) => type.decode(payload),
      zero: () => type.zero(),
      isZero: type.isZero === undefined ? () => false : (value) => type.isZero!(value),
      alongside: type.alongside ?? [],
    },
    type.name,
  );
}
