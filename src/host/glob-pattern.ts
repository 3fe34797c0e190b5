import { GoplugError } from "../errors.js";

/** A pattern that breaks the grammar (Go: filepath.ErrBadPattern). */
export class BadPatternError extends GoplugError {
  override readonly name = "BadPatternError";

  constructor(pattern: string) {
    super("ERR_BAD_PATTERN", `syntax error in pattern: ${JSON.stringify(pattern)}`);
  }
}

type Token =
  | { readonly kind: "star" }
  | { readonly kind: "any" }
  | { readonly kind: "literal"; readonly code: number }
  | {
      readonly kind: "class";
      readonly negated: boolean;
      readonly ranges: readonly (readonly [number, number])[];
    };

/** On Windows the backslash separates folders, and nothing can be escaped. */
const escapes = process.platform !== "win32";

/** Whether a pattern's text says more than itself. */
export function hasMeta(text: string): boolean {
  return (escapes ? /[*?[\\]/ : /[*?[]/).test(text);
}

/**
 * Compiles a pattern for one file name, in the grammar of Go's filepath.Match: `*` for any characters, `?` for one,
 * `[a-z]` and `[^a-z]`, `\` before a character that means itself. Names that begin with a dot are not special.
 *
 * The matcher takes at most pattern length × name length steps.
 *
 * @throws BadPatternError
 */
export function compilePattern(pattern: string): (name: string) => boolean {
  const tokens = parse(pattern);
  return (name) => matches(tokens, codePoints(name));
}

function codePoints(text: string): number[] {
  return Array.from(text, (character) => character.codePointAt(0)!);
}

function parse(pattern: string): Token[] {
  const codes = codePoints(pattern);
  const tokens: Token[] = [];
  let at = 0;
  const next = (): string | undefined => {
    const code = codes[at];
    return code === undefined ? undefined : String.fromCodePoint(code);
  };
  const take = (): number => {
    const code = codes[at++];
    if (code === undefined) throw new BadPatternError(pattern);
    return code;
  };
  const takeEscaped = (): number => {
    if (escapes && next() === "\\") at++;
    return take();
  };
  const takeBound = (): number => {
    if (next() === "-" || next() === "]") throw new BadPatternError(pattern);
    return takeEscaped();
  };
  while (at < codes.length) {
    switch (next()) {
      case "*":
        at++;
        if (tokens.at(-1)?.kind !== "star") tokens.push({ kind: "star" });
        break;
      case "?":
        at++;
        tokens.push({ kind: "any" });
        break;
      case "[": {
        at++;
        const negated = next() === "^";
        if (negated) at++;
        const ranges: [number, number][] = [];
        while (ranges.length === 0 || next() !== "]") {
          const low = takeBound();
          if (next() !== "-") ranges.push([low, low]);
          else {
            at++;
            ranges.push([low, takeBound()]);
          }
        }
        at++;
        tokens.push({ kind: "class", negated, ranges });
        break;
      }
      default:
        tokens.push({ kind: "literal", code: takeEscaped() });
    }
  }
  return tokens;
}

function matches(tokens: readonly Token[], name: readonly number[]): boolean {
  let token = 0;
  let at = 0;
  // Where to go on when a try fails: only the last star needs another one, the earlier ones have done their part.
  let star = -1;
  let starAt = 0;
  while (at < name.length) {
    const current = tokens[token];
    if (current?.kind === "star") {
      star = token++;
      starAt = at;
    } else if (current !== undefined && matchesOne(current, name[at]!)) {
      token++;
      at++;
    } else if (star >= 0) {
      token = star + 1;
      at = ++starAt;
    } else return false;
  }
  while (tokens[token]?.kind === "star") token++;
  return token === tokens.length;
}

function matchesOne(token: Exclude<Token, { kind: "star" }>, code: number): boolean {
  switch (token.kind) {
    case "any":
      return true;
    case "literal":
      return token.code === code;
    case "class":
      return token.ranges.some(([low, high]) => low <= code && code <= high) !== token.negated;
  }
}
