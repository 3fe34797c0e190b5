import { custom } from "../schema/custom.js";

const VERSION = 1;

function magnitude(value: bigint): Buffer {
  if (value === 0n) return Buffer.alloc(0);
  const digits = value.toString(16);
  return Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, "hex");
}

function natural(bytes: Buffer): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${bytes.toString("hex")}`);
}

/** The byte that math/big puts first: a version and the sign. */
function head(negative: boolean): Buffer {
  return Buffer.of((VERSION << 1) | (negative ? 1 : 0));
}

function readHead(byte: number, type: string): boolean {
  if (byte >> 1 !== VERSION)
    throw new RangeError(`${type}.GobDecode: encoding version ${byte >> 1} not supported`);
  return (byte & 1) === 1;
}

const absolute = (value: bigint): bigint => (value < 0n ? -value : value);

/** Go's `big.Int` as a bigint. */
export const bigInt = custom<bigint, bigint>({
  name: "math/big.Int",
  marshaler: "gob",
  encode(value) {
    if (typeof value !== "bigint") throw new TypeError("big.Int takes a bigint");
    return Buffer.concat([head(value < 0n), magnitude(absolute(value))]);
  },
  decode(payload) {
    if (payload.length === 0) return 0n;
    const value = natural(payload.subarray(1));
    return readHead(payload[0]!, "Int") ? -value : value;
  },
  zero: () => 0n,
});

/** A fraction; Go keeps it in lowest terms with a positive denominator. */
export interface Rational {
  /** The numerator, which has the sign. */
  num: bigint;
  /** The denominator, above zero. */
  den: bigint;
}

/** Go's `big.Rat`. Takes any fraction with a positive denominator. */
export const bigRat = custom<Rational, Rational>({
  name: "math/big.Rat",
  marshaler: "gob",
  encode({ num, den }) {
    if (typeof num !== "bigint" || typeof den !== "bigint" || den <= 0n)
      throw new RangeError("big.Rat takes a bigint over a positive bigint");
    const [top, bottom] = [magnitude(absolute(num)), magnitude(den)];
    const size = Buffer.alloc(4);
    size.writeUInt32BE(top.length);
    return Buffer.concat([head(num < 0n), size, top, bottom]);
  },
  decode(payload) {
    if (payload.length === 0) return { num: 0n, den: 1n };
    if (payload.length < 5) throw new RangeError("Rat.GobDecode: buffer too small");
    const negative = readHead(payload[0]!, "Rat");
    const size = payload.readUInt32BE(1);
    if (size > payload.length - 5) throw new RangeError("Rat.GobDecode: invalid length");
    const num = natural(payload.subarray(5, 5 + size));
    const den = natural(payload.subarray(5 + size));
    return { num: negative ? -num : num, den: den === 0n ? 1n : den };
  },
  zero: () => ({ num: 0n, den: 1n }),
});

/** Go's big.Float: ±0.mantissa × 2^exponent, with the mantissa's first bit set, and how it was rounded. */
export interface BigFloat {
  /** Zero and infinity have neither exponent nor mantissa. */
  form: "zero" | "finite" | "inf";
  /** The sign; zero and infinity have one, too. */
  negative: boolean;
  /** Mantissa bits. */
  precision: number;
  /** Go's RoundingMode, 0 to 5 (0: to nearest even). */
  mode: number;
  /** Go's Accuracy of the last operation: below, exact or above. */
  accuracy: -1 | 0 | 1;
  /** The power of two. */
  exponent: number;
  /** Big-endian, the leading bit first, in whole words of 8 bytes (4 on small machines). */
  mantissa: Buffer;
}

const FORMS = ["zero", "finite", "inf"] as const;

/** Go's `big.Float`, part by part, since no JavaScript number holds it. */
export const bigFloat = custom<BigFloat, BigFloat>({
  name: "math/big.Float",
  marshaler: "gob",
  encode(value) {
    const finite = value.form === "finite";
    const payload = Buffer.alloc(finite ? 10 : 6);
    payload[0] = VERSION;
    payload[1] =
      ((value.mode & 7) << 5) |
      ((value.accuracy + 1) << 3) |
      (FORMS.indexOf(value.form) << 1) |
      (value.negative ? 1 : 0);
    payload.writeUInt32BE(value.precision, 2);
    if (!finite) return payload;
    payload.writeInt32BE(value.exponent, 6);
    return Buffer.concat([payload, value.mantissa]);
  },
  decode(payload) {
    const float: BigFloat = { ...zeroFloat() };
    if (payload.length === 0) return float;
    if (payload.length < 6) throw new RangeError("Float.GobDecode: buffer too small");
    if (payload[0] !== VERSION)
      throw new RangeError(`Float.GobDecode: encoding version ${payload[0]} not supported`);
    const bits = payload[1]!;
    const form = FORMS[(bits >> 1) & 3];
    if (form === undefined) throw new RangeError("Float.GobDecode: bad form");
    float.mode = bits >> 5;
    float.accuracy = (((bits >> 3) & 3) - 1) as -1 | 0 | 1;
    float.form = form;
    float.negative = (bits & 1) === 1;
    float.precision = payload.readUInt32BE(2);
    if (form !== "finite") return float;
    if (payload.length < 10) throw new RangeError("Float.GobDecode: buffer too small for finite form float");
    float.exponent = payload.readInt32BE(6);
    float.mantissa = payload.subarray(10);
    return float;
  },
  zero: zeroFloat,
});

function zeroFloat(): BigFloat {
  return {
    form: "zero",
    negative: false,
    precision: 0,
    mode: 0,
    accuracy: 0,
    exponent: 0,
    mantissa: Buffer.alloc(0),
  };
}
