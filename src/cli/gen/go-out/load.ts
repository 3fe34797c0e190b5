import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
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
    tsx = (await import(pathToFileURL(tsxApi(path)).href)) as typeof tsx;
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

/**
 * The file of `tsx/esm/api`, as a module at that path would import it. The one that `require` is given does not work in
 * every release, and Node 20 tells no other for a place that is not the asking module's own.
 */
function tsxApi(from: string): string {
  const manifest = createRequire(from).resolve("tsx/package.json");
  const { exports } = JSON.parse(readFileSync(manifest, "utf8"));
  let target = exports["./esm/api"];
  while (typeof target === "object") target = target.import ?? target.default;
  return join(dirname(manifest), target);
}

function failed(file: string, error: unknown): CommandError {
  return new CommandError(
    `${file} cannot be loaded: ${error instanceof Error ? error.message : String(error)}`,
  );
}
