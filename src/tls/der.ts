/**
 * DER (ITU-T X.690) as far as a certificate needs it: each function gives the bytes of one value, with its tag and its
 * length.
 */

/** A tag that holds other values (X.690, 8.1.2.5). */
const CONSTRUCTED = 0x20;
const CONTEXT_SPECIFIC = 0x80;

export const sequence = (...values: readonly Uint8Array[]): Buffer => value(CONSTRUCTED | 0x10, ...values);

export const set = (...values: readonly Uint8Array[]): Buffer => value(CONSTRUCTED | 0x11, ...values);

export const printableString = (text: string): Buffer => value(0x13, Buffer.from(text, "latin1"));

export const octetString = (bytes: Uint8Array): Buffer => value(0x04, bytes);

export const boolean = (is: boolean): Buffer => value(0x01, Uint8Array.of(is ? 0xff : 0));

/** A whole number that is not negative, by its bytes, the highest first. */
export function unsigned(bytes: Uint8Array): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0);
  const shortest = first === -1 ? Uint8Array.of(0) : bytes.subarray(first);
  // The highest bit is the sign (X.690, 8.3.3).
  return shortest[0]! < 0x80 ? value(0x02, shortest) : value(0x02, Uint8Array.of(0), shortest);
}

/** @param unused how many of the last byte's low bits do not count */
export const bitString = (bytes: Uint8Array, unused = 0): Buffer => value(0x03, Uint8Array.of(unused), bytes);

/** @param dotted as in `2.5.4.3` */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  // The first two share a number (X.690, 8.19.4).
  return value(0x06, Uint8Array.from([first * 40 + second, ...rest].flatMap(base128)));
}

/** What a `[n] EXPLICIT` of the notation wraps. */
export const explicit = (n: number, wrapped: Uint8Array): Buffer =>
  value(CONTEXT_SPECIFIC | CONSTRUCTED | n, wrapped);

/** What a `[n] IMPLICIT` makes of a primitive value: its contents under a tag of their own. */
export const implicit = (n: number, contents: Uint8Array): Buffer => value(CONTEXT_SPECIFIC | n, contents);

/**
 * A time in whole seconds, as X.509 wants it (RFC 5280, 4.1.2.5): UTCTime for years up to 2049, GeneralizedTime for
 * later ones.
 */
export function time(date: Date): Buffer {
  const digits = date.toISOString().replace(/\.\d+|[-:T]/g, "");
  return date.getUTCFullYear() < 2050
    ? value(0x17, Buffer.from(digits.slice(2)))
    : value(0x18, Buffer.from(digits));
}

function value(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const length = contents.reduce((sum, { byteLength }) => sum + byteLength, 0);
  return Buffer.concat([Uint8Array.of(tag, ...lengthOf(length)), ...contents]);
}

/** X.690, 8.1.3: one byte up to 127; from there on how many bytes, then these. */
function lengthOf(length: number): number[] {
  if (length < 0x80) return [length];
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 0x100)) bytes.unshift(rest % 0x100);
  return [0x80 | bytes.length, ...bytes];
}

/** Seven bits a byte, the highest first; all but the last have the top bit (X.690, 8.19.2). */
function base128(n: number): number[] {
  const bytes = [n % 0x80];
  for (let rest = Math.floor(n / 0x80); rest > 0; rest = Math.floor(rest / 0x80))
    bytes.unshift(0x80 | (rest % 0x80));
  return bytes;
}
