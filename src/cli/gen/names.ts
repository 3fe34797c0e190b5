import { CommandError } from "../fail.js";

/** Something of the contract that gets a name in the file. */
export interface Entry {
  /** What it is known by: unique in the contract. */
  readonly key: string;
  /** Go's name. */
  readonly name: string;
  /** The import path, and the name of the package. */
  readonly path: string;
  readonly packageName: string;
  /** What is appended to the name for further declarations, as "Input". */
  readonly suffixes: readonly string[];
}

/**
 * Words that a declaration cannot be called, and names of JavaScript and goplug that the generated file itself uses: a Go type `Map`
 * would hide them. The language's other names are left alone for the sake of those who import from the file.
 */
const TAKEN = new Set(
  `break case catch class const continue debugger default delete do else enum export extends false finally for function if
  import in instanceof new null return super switch this throw true try typeof var void while with yield let static await
  implements interface package private protected public async of type any unknown never object string number boolean bigint symbol undefined
  arguments eval Infinity NaN Map ReadonlyMap Array Readonly Record Buffer Uint8Array Date URL Promise
  Boolean DataView Error EvalError Function Intl JSON Math Number Object Omit Pick Proxy RangeError RegExp Set String Symbol SyntaxError
  TypeError WeakMap WeakSet globalThis
  gob netRpcPlugin Caller Receiver HandshakeConfig MuxBroker Partial registry`.split(/\s+/),
);

const IDENTIFIER = /^[\p{ID_Start}_$][\p{ID_Continue}$]*$/u;

function pascal(text: string): string {
  return text
    .split(/[^\p{L}\p{Nd}]+/u)
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
    .join("");
}

/**
 * Gives every entry a name of its own. Go's name stays where it is free; of two packages that have the same name that one keeps it
 * which was asked for, and the other gets its package's name in front, then more of its import path.
 */
export function giveNames(entries: readonly Entry[], roots: readonly string[]): Map<string, string> {
  const names = new Map<string, string>();
  const used = new Set<string>();
  const claims = (name: string, { suffixes }: Entry): string[] => [name, ...suffixes.map((s) => name + s)];
  const free = (name: string, entry: Entry): boolean =>
    !TAKEN.has(name) && claims(name, entry).every((claim) => !used.has(claim));
  const give = (name: string, entry: Entry): void => {
    if (!IDENTIFIER.test(name))
      throw new CommandError(`${JSON.stringify(name)} (${entry.key}) is no identifier in TypeScript`);
    for (const claim of claims(name, entry)) used.add(claim);
    names.set(entry.key, name);
  };
  const waves = [
    entries.filter(({ path }) => roots.includes(path)),
    entries.filter(({ path }) => !roots.includes(path)),
  ];
  for (const wave of waves) {
    const byName = groupBy(wave, ({ name }) => name);
    const later: Entry[] = [];
    // Those that nobody else wants first: whose turn it is must not depend on the order of packages.
    for (const [name, group] of byName)
      if (group.length === 1 && free(name, group[0]!)) give(name, group[0]!);
      else later.push(...group);
    for (const entry of later)
      give(
        alternative(entry, (name) => free(name, entry)),
        entry,
      );
  }
  return names;
}

function groupBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group === undefined) groups.set(key(item), [item]);
    else group.push(item);
  }
  return groups;
}

function alternative({ name, path, packageName }: Entry, free: (name: string) => boolean): string {
  const upper = name.slice(0, 1).toUpperCase() + name.slice(1);
  const parents = path.split("/").reverse();
  let prefix = pascal(packageName);
  // The last element of the path is as a rule the package's name.
  for (const parent of parents[0] === packageName ? parents.slice(1) : parents) {
    if (free(prefix + upper)) return prefix + upper;
    prefix = pascal(parent) + prefix;
  }
  let candidate = prefix + upper;
  while (!free(candidate)) candidate += "_";
  return candidate;
}

/** A property as it stands in an object or interface. */
export function propertyName(name: string): string {
  return IDENTIFIER.test(name) ? name : JSON.stringify(name);
}
