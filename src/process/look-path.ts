import { accessSync, constants, statSync } from "node:fs";
import { delimiter, isAbsolute, join, resolve } from "node:path";
import { SpawnError } from "./errors.js";

/** Whether a command is looked for in PATH: it is a name, and not the path of a file. */
export function isBareName(command: string): boolean {
  return !command.includes("/") && !(process.platform === "win32" && command.includes("\\"));
}

/**
 * The file that a command names: a path as it is (from `cwd`), a name looked for in the PATH of this process, whatever
 * PATH the command itself will get (Go: exec.Command, LookPath).
 *
 * @throws SpawnError ERR_PLUGIN_NOT_FOUND - there is none, or only one relative to the current directory (Go: ErrDot);
 *   or the path is relative, and there is no working directory any more
 */
export function lookPath(
  command: string,
  { cwd, path = process.env.PATH ?? "" }: { cwd?: string | undefined; path?: string | undefined } = {},
): string {
  if (!isBareName(command)) {
    if (isAbsolute(command)) return command;
    return resolve(cwd ?? currentFolder(command), command);
  }
  const suffixes = process.platform === "win32" ? ["", ".exe", ".com"] : [""];
  for (const folder of path.split(delimiter)) {
    for (const suffix of suffixes) {
      const candidate = join(folder, command + suffix);
      if (!isExecutable(candidate)) continue;
      if (isAbsolute(candidate)) return candidate;
      const why = `PATH finds it relative to the current directory only (${JSON.stringify(folder)}): give its path`;
      throw notFound(command, why);
    }
  }
  throw notFound(command, `there is no such executable in PATH (${path})`);
}

function currentFolder(command: string): string {
  try {
    return process.cwd();
  } catch (cause) {
    throw notFound(
      command,
      "the path is relative, and the working directory of this process was removed",
      cause,
    );
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function notFound(command: string, why: string, cause?: unknown): SpawnError {
  return new SpawnError("ERR_PLUGIN_NOT_FOUND", command, `cannot start plugin ${command}: ${why}`, cause);
}
