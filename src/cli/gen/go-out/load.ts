import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { CommandError } from "../../fail.js";

/** Loads a module of definitions. A TypeScript one is loaded by Node itself, where it can, or by the project's own tsx. */
export async function loadDefinitions(file: string): Promise<Readonly<Record<string, unknown>>> {
  const path = resolve(file);
  if (!existsSync(path)) throw new CommandError(`there is no ${file}`);
  const url = pathToFileURL(path).href;
  try {
    return (await import(url)) as Record<string, unknown>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_UNKNOWN_FILE_EXTENSION") throw failed(file, error);
  }
  let tsx: { tsImport(specifier: string, parent: string): Promise<Record<string, unknown>> };
  try {
    tsx = (await import(pathToFileURL(createRequire(path).resolve("tsx/esm/api")).href)) as typeof tsx;
  } catch {
    throw new CommandError(
      `${file}: this Node does not load TypeScript; install tsx in the project, or give the compiled file`,
    );
  }
  try {
    return await tsx.tsImport(url, import.meta.url);
  } catch (error) {
    throw failed(file, error);
  }
}

function failed(file: string, error: unknown): CommandError {
  return new CommandError(
    `${file} cannot be loaded: ${error instanceof Error ? error.message : String(error)}`,
  );
}
