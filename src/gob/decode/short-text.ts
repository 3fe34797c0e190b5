import type { Reader } from "../wire/reader.js";
import { type Bytes, readText } from "../wire/text.js";

/** Longer strings are left to V8's decoder, whose call then costs less than the characters. */
const LONGEST = 28;

type ReadAscii = (buf: Bytes, start: number) => string | undefined;

/** By length: makes a string of that many bytes, or undefined when one is not ASCII. Filled as lengths are met. */
const readers: (ReadAscii | undefined)[] = new Array<ReadAscii | undefined>(LONGEST + 1).fill(undefined);

/**
 * One String.fromCharCode of all bytes takes half the time of a call into V8's decoder, but only with its arguments
 * spelled out. Called by generated code only, so that code may be generated here.
 */
function makeReader(n: number): ReadAscii {
  const bytes = Array.from({ length: n }, (_, i) => `c${i}`);
  const load = bytes.map((name, i) => `${name} = b[p + ${i}]`).join(", ");
  const body = `const ${load}; return (${bytes.join(" | ")}) < 128 ? String.fromCharCode(${bytes.join(", ")}) : undefined;`;
  return new Function("b", "p", body) as ReadAscii;
}

/** The string buf[start, start + n), which has arrived; n is not 0. */
export function shortText(r: Reader, buf: Bytes, start: number, n: number): string {
  if (n <= LONGEST) {
    let read = readers[n];
    if (read === undefined) {
      read = makeReader(n);
      readers[n] = read;
    }
    const text = read(buf, start);
    if (text !== undefined) return text;
  }
  return readText(buf, start, start + n, r.invalidUtf8);
}
