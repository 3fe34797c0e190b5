const INT64_MAX = (1n << 63n) - 1n;
const INT64_MIN = -(1n << 63n);

/** An integer, or the words in which Go's `strconv.Atoi` refuses the text. */
export type ParsedInt = { readonly value: number } | { readonly problem: string };

/**
 * Reads a decimal integer as Go's `strconv.Atoi` does: an optional sign, digits, the range of int64, and nothing
 * around them. Values beyond 2^53 are legal there and lose precision here, which no version number notices.
 */
export function parseGoInt(text: string): ParsedInt {
  if (!/^[+-]?[0-9]+$/.test(text)) {
    return { problem: `strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax` };
  }
  // A long run of digits is out of range without the cost of converting it.
  const significant = text.replace(/^[+-]?0*/, "");
  const value =
    significant.length > 19 ? undefined : BigInt(significant || "0") * (text[0] === "-" ? -1n : 1n);
  if (value === undefined || value > INT64_MAX || value < INT64_MIN) {
    return { problem: `strconv.Atoi: parsing ${JSON.stringify(text)}: value out of range` };
  }
  return { value: Number(value) };
}
