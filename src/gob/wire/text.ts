import { isUtf8 } from "node:buffer";
import { Fault } from "../errors.js";

/**
 * What to do with a Go string that is not valid UTF-8 and a JavaScript string that is not well-formed: `refuse` is
 * an error; `escape` shows each stray byte 0x80..0xFF as the lone surrogate U+DC80..U+DCFF and sends such a
 * surrogate as that byte, so that every Go string survives a round trip; `replace` puts U+FFFD in place of what is
 * wrong, in either direction, as Go does when it ranges over a string.
 */
export type InvalidUtf8 = "refuse" | "escape" | "replace";

/** A Buffer with the methods behind toString and write, which @types/node leaves out; they cost half as much. */
export type Bytes = Buffer & {
  utf8Slice(start: number, end: number): string;
  latin1Slice(start: number, end: number): string;
  utf8Write(text: string, offset: number): number;
};

/** Any bytes as a Buffer on the same memory. */
export function asBytes(bytes: Uint8Array): Bytes {
  const buffer = Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return buffer as Bytes;
}

/** Reads buf[start, end) as UTF-8. */
export function readText(buf: Bytes, start: number, end: number, policy: InvalidUtf8): string {
  const text = buf.utf8Slice(start, end);
  // Invalid bytes have become U+FFFD; a genuine U+FFFD may be there as well.
  if (!text.includes("\ufffd")) return text;
  if (policy === "replace") return text;
  const raw = buf.subarray(start, end);
  if (isUtf8(raw)) return text;
  if (policy === "refuse")
    throw new Fault(
      "ERR_GOB_UTF8",
      "gob: string is not valid UTF-8 (see rawString and the option invalidUtf8)",
    );
  return escapeText(asBytes(raw));
}

/** The length of the valid UTF-8 sequence at `at`, 0 when there is none. */
function sequenceLength(raw: Buffer, at: number): number {
  const lead = raw[at]!;
  if (lead < 0x80) return 1;
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  return at + length <= raw.length && isUtf8(raw.subarray(at, at + length)) ? length : 0;
}

function escapeText(raw: Bytes): string {
  const parts: string[] = [];
  let valid = 0;
  for (let at = 0; at < raw.length; ) {
    const length = sequenceLength(raw, at);
    if (length > 0) {
      at += length;
      continue;
    }
    if (at > valid) parts.push(raw.utf8Slice(valid, at));
    parts.push(String.fromCharCode(0xdc00 + raw[at]!));
    at++;
    valid = at;
  }
  if (valid < raw.length) parts.push(raw.utf8Slice(valid, raw.length));
  return parts.join("");
}

/** The UTF-8 bytes of a string, stray surrogates by policy. */
export function textBytes(text: string, policy: InvalidUtf8): Buffer {
  if (policy === "replace" || wellFormed(text)) return Buffer.from(text, "utf8");
  if (policy === "refuse")
    throw new Fault("ERR_GOB_UTF8", "gob: string has a lone surrogate, which UTF-8 cannot hold");
  const parts: Buffer[] = [];
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit < 0xd800 || unit > 0xdfff) continue;
    const next = at + 1 < text.length ? text.charCodeAt(at + 1) : 0;
    if (unit < 0xdc00 && next >= 0xdc00 && next <= 0xdfff) {
      at++;
      continue;
    }
    if (unit < 0xdc80 || unit > 0xdcff)
      throw new Fault("ERR_GOB_UTF8", "gob: string has a lone surrogate that stands for no byte");
    parts.push(Buffer.from(text.slice(start, at), "utf8"), Buffer.of(unit - 0xdc00));
    start = at + 1;
  }
  parts.push(Buffer.from(text.slice(start), "utf8"));
  return Buffer.concat(parts);
}

/** String.prototype.isWellFormed, which this project's language level does not declare yet. */
export function wellFormed(text: string): boolean {
  return (text as unknown as { isWellFormed(): boolean }).isWellFormed();
}
