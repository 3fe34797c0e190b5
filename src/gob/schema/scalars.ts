import { type IntegerForm, Schema } from "./schema.js";

/** A complex number. */
export interface Complex {
  /** The real part. */
  re: number;
  /** The imaginary part. */
  im: number;
}

function integer<In, Out>(go: string, bits: 8 | 16 | 32 | 64, form: IntegerForm): Schema<In, Out> {
  return new Schema<In, Out>({ kind: go.startsWith("u") ? "uint" : "int", go, bits, form });
}

/** Go's `bool`. */
export const bool = new Schema<boolean, boolean>({ kind: "bool" });

/** Go's `int` as a number; what is beyond ±(2^53−1) is an error, see {@link intBigint}. */
export const int = integer<number, number>("int", 64, "number");
/** Go's `int` as a bigint. */
export const intBigint = integer<bigint | number, bigint>("int", 64, "bigint");
/** Go's `int8` as a number. */
export const int8 = integer<number, number>("int8", 8, "number");
/** Go's `int16` as a number. */
export const int16 = integer<number, number>("int16", 16, "number");
/** Go's `int32` (and `rune`) as a number. */
export const int32 = integer<number, number>("int32", 32, "number");
/** Go's `int64` as a bigint; safe integers are taken as numbers, too. */
export const int64 = integer<bigint | number, bigint>("int64", 64, "bigint");
/** Go's `int64` as a number; what is beyond ±(2^53−1) is an error. */
export const int64Number = integer<number, number>("int64", 64, "number");

/** Go's `uint` as a number; what is beyond 2^53−1 is an error, see {@link uintBigint}. */
export const uint = integer<number, number>("uint", 64, "number");
/** Go's `uint` as a bigint. */
export const uintBigint = integer<bigint | number, bigint>("uint", 64, "bigint");
/** Go's `uint8` (`byte`) as a number. */
export const uint8 = integer<number, number>("uint8", 8, "number");
/** Go's `uint16` as a number. */
export const uint16 = integer<number, number>("uint16", 16, "number");
/** Go's `uint32` as a number. */
export const uint32 = integer<number, number>("uint32", 32, "number");
/** Go's `uint64` as a bigint; safe integers are taken as numbers, too. */
export const uint64 = integer<bigint | number, bigint>("uint64", 64, "bigint");
/** Go's `uint64` as a number; what is beyond 2^53−1 is an error. */
export const uint64Number = integer<number, number>("uint64", 64, "number");
/** Go's `uintptr` as a bigint. */
export const uintptr = integer<bigint | number, bigint>("uintptr", 64, "bigint");

/** Go's `float64`. */
export const float64 = new Schema<number, number>({ kind: "float", go: "float64", single: false });
/** Go's `float32`; rounded to single precision when sent, an error when it is finite and too large for it. */
export const float32 = new Schema<number, number>({ kind: "float", go: "float32", single: true });
/** Go's `complex128`. */
export const complex128 = new Schema<Complex, Complex>({ kind: "complex", go: "complex128", single: false });
/** Go's `complex64`. */
export const complex64 = new Schema<Complex, Complex>({ kind: "complex", go: "complex64", single: true });

/** Go's `string`. Invalid UTF-8 is an error unless the stream's `invalidUtf8` option says otherwise. */
export const string = new Schema<string, string>({ kind: "string", raw: false, lenient: false });
/** Go's `string`, in which every byte that is no UTF-8 becomes U+FFFD: for texts that are only shown. */
export const lenientString = new Schema<string, string>({ kind: "string", raw: false, lenient: true });
/** Go's `string` as its bytes, for strings that need not be text. Takes text as well. */
export const rawString: Schema<string | Uint8Array, Buffer> = new Schema<string | Uint8Array, Buffer>({
  kind: "string",
  raw: true,
  lenient: false,
});
/** Go's `[]byte`. Nil and empty are the same on the wire; null is taken as nil. */
export const bytes: Schema<Uint8Array | null, Buffer> = new Schema<Uint8Array | null, Buffer>({
  kind: "bytes",
});
