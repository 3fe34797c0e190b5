import { lstat, readdir } from "node:fs/promises";
import { join, normalize, resolve, sep } from "node:path";
import { anyText, text } from "../options.js";
import { compilePattern, hasMeta } from "./glob-pattern.js";

/**
 * Finds files by a pattern in a directory (go-plugin: Discover), as absolute paths in the order of their names. As in
 * go-plugin whatever matches is taken for a plugin, executable or not, and nothing is searched beneath the directory
 * unless the pattern has folders of its own (`v?/provider-*`). The pattern's grammar is that of Go's filepath.Match;
 * the directory's name is taken as it is (go-plugin reads patterns in it as well).
 *
 * A directory that is missing or cannot be read holds nothing: the result is empty.
 *
 * @param glob such as `terraform-provider-*`
 * @param dir absolute, or relative to the current directory
 * @throws OptionError; BadPatternError (Go: syntax error in pattern)
 */
export async function discover(glob: string, dir: string): Promise<string[]> {
  text("glob", glob as never);
  anyText("dir", dir as never);
  const segments = normalize(glob)
    .split(sep)
    .filter((segment) => segment !== "" && segment !== ".");
  const steps = segments.map((segment) =>
    hasMeta(segment) ? { name: undefined, matches: compilePattern(segment) } : { name: segment },
  );
  let found = [resolve(dir)];
  for (const { name, matches } of steps) {
    const deeper = await Promise.all(
      found.map(async (folder) => {
        // `..` can only stand at the front, where the folder is the given one.
        if (name !== undefined) return [join(folder, name)];
        const names = await readdir(folder).catch(() => []);
        return names
          .filter(matches)
          .sort(byBytes)
          .map((match) => join(folder, match));
      }),
    );
    found = deeper.flat();
  }
  const there = await Promise.all(found.map(exists));
  return found.filter((_, index) => there[index]);
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

/** Go's order of strings; JavaScript's own compares UTF-16 units. */
function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
