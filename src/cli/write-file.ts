import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { CommandError } from "./fail.js";

/**
 * Writes a file as a whole or not at all. Throws {@link CommandError} when it cannot, or when there is a file of that name that
 * `mayReplace` does not know as generated.
 */
export function writeWhole(path: string, text: string, mayReplace: (old: string) => boolean): void {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    const old = readIfThere(path);
    if (old === text) return;
    if (old !== undefined && !mayReplace(old))
      throw new CommandError(`${path} exists and was not generated; it is left as it is`);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(temporary, text);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    if (error instanceof CommandError) throw error;
    throw new CommandError(`cannot write ${path}: ${(error as Error).message}`);
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
