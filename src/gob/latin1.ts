import type { Reader } from "./reader.js";
import { type Bytes, readText } from "./text.js";

/** Up to this length V8 copies a substring; a longer one keeps its parent alive. */
const COPIED = 12;
/** Messages up to this size may be kept alive by their strings. */
const SMALL_MESSAGE = 1024;

/**
 * The string buf[start, start + n). Short ASCII ones are cut from one latin1 copy of the message, which costs much
 * less than a call into V8's decoder for each.
 */
export function asciiSlice(r: Reader, buf: Bytes, start: number, n: number): string {
  const stop = start + n;
  if (n <= COPIED || r.end - r.messageStart <= SMALL_MESSAGE) {
    let bits = 0;
    for (let i = start; i < stop; i++) bits |= buf[i]!;
    if (bits < 128) {
      const text = r.latin1 ?? r.makeLatin1();
      const from = start - r.messageStart;
      return text.substring(from, from + n);
    }
  }
  return readText(buf, start, stop, r.invalidUtf8);
}
