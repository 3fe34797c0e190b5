import { accessSync, constants, statSync } from "node:fs";
import { posix, win32 } from "node:path";
import { SpawnError } from "./errors.js";

/** What a command is looked up by; all of it has a default. */
export interface LookPathOptions {
  /** Where relative paths begin. Default: the working directory of this process. */
  readonly cwd?: string | undefined;
  /** The list of folders. Default: the PATH of this process. */
  readonly path?: string | undefined;
  /** On Windows the list of extensions that programs have. Default: the PATHEXT of this process. */
  readonly pathExt?: string | undefined;
  /** Default: this system. */
  readonly platform?: NodeJS.Platform | undefined;
  /** Whether a file can be started. Default: the file system says it. */
  readonly isExecutable?: ((file: string) => boolean) | undefined;
}

/** Whether a command is looked for in PATH: it is a name, and not the path of a file. */
export function isBareName(command: string, platform: NodeJS.Platform = process.platform): boolean {
  return !(platform === "win32" ? /[:\\/]/ : /\//).test(command);
}

/**
 * The file that a command names: a path as it is (from `cwd`), a name looked for in the PATH of this process, whatever
 * PATH the command itself will get (Go: exec.Command, LookPath). On Windows both may lack the extension. Unlike Go it
 * does not look into the current directory there, which Go finds programs in only to refuse them (ErrDot).
 *
 * @throws SpawnError ERR_PLUGIN_NOT_FOUND - there is none, or only one relative to the current directory (Go: ErrDot);
 *   or the path is relative, and there is no working directory any more
 */
export function lookPath(command: string, options: LookPathOptions = {}): string {
  const { cwd, path = process.env.PATH ?? "", platform = process.platform } = options;
  const { isExecutable = canExecute } = options;
  const extensions = platform === "win32" ? extensionsOf(options.pathExt ?? process.env.PATHEXT) : [];
  const rules = platform === "win32" ? win32 : posix;
  const find = (file: string): string | undefined => candidates(file, extensions).find(isExecutable);
  if (!isBareName(command, platform)) {
    const file = rules.isAbsolute(command) ? command : rules.resolve(cwd ?? currentFolder(command), command);
    return extensions.length === 0 ? file : (find(file) ?? file);
  }
  for (const folder of foldersOf(path, platform)) {
    const found = find(rules.join(folder, command));
    if (found === undefined) continue;
    if (rules.isAbsolute(found)) return found;
    const why = `PATH finds it relative to the current directory only (${JSON.stringify(folder)}): give its path`;
    throw notFound(command, why);
  }
  throw notFound(command, `there is no such executable in PATH (${path})`);
}

/** Windows: `;` separates the folders, except within quotes, and empty entries mean nothing. */
function foldersOf(path: string, platform: NodeJS.Platform): string[] {
  if (platform !== "win32") return path.split(posix.delimiter);
  return (path.match(/(?:"[^"]*"|[^;"])+/g) ?? []).map((folder) => folder.replaceAll('"', ""));
}

function extensionsOf(pathExt: string | undefined): string[] {
  const list = pathExt?.split(";").filter((extension) => extension !== "") ?? [];
  if (list.length === 0) return [".com", ".exe", ".bat", ".cmd"];
  return list.map((extension) => (extension.startsWith(".") ? extension : `.${extension}`).toLowerCase());
}

/** The names that a file may have, in Go's order: what has no extension is nothing that Windows starts. */
function candidates(file: string, extensions: readonly string[]): string[] {
  const further = extensions.map((extension) => file + extension);
  return extensions.length === 0 || win32.extname(file) !== "" ? [file, ...further] : further;
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

function canExecute(path: string): boolean {
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
