import { access, constants } from "node:fs/promises";
import { delimiter, resolve, sep } from "node:path";
import { platform } from "node:process";

/**
 * The file that starting `name` would start: a path as it is (from `cwd`), a bare name looked up in PATH, as the
 * system does it. Undefined when PATH has no such executable.
 */
export async function lookPath(
  name: string,
  { cwd = process.cwd(), path = "" }: { cwd?: string | undefined; path?: string | undefined },
): Promise<string | undefined> {
  if (name.includes(sep) || name.includes("/")) return resolve(cwd, name);
  const suffixes = platform === "win32" ? ["", ".exe", ".com"] : [""];
  for (const folder of path.split(delimiter)) {
    for (const suffix of suffixes) {
      const candidate = resolve(cwd, folder, name + suffix);
      try {
        await access(candidate, constants.X_OK);
        return candidate;
      } catch {
        // The next one.
      }
    }
  }
  return undefined;
}
