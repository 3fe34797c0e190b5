import { closeSync, openSync, readSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { executableKind } from "./diagnose.js";
import { SpawnError } from "./errors.js";

interface Attempt {
  /** The command as it was given. */
  readonly path: string;
  /** The file that it named. */
  readonly file: string;
  readonly cwd: string | undefined;
  /** Default: this system. */
  readonly platform?: NodeJS.Platform;
}

/** The system's error for a process that could not be started, with what is missing: it does not say which. */
export function explainSpawn(attempt: Attempt, cause: unknown): SpawnError {
  const { path, platform = process.platform } = attempt;
  const { code } = cause as NodeJS.ErrnoException;
  const unfit = platform === "win32" ? whyUnfitForWindows(attempt) : undefined;
  if (unfit !== undefined) {
    const message = `cannot start plugin ${path}: ${unfit} (${code})`;
    return new SpawnError("ERR_PLUGIN_NOT_EXECUTABLE", path, message, cause);
  }
  switch (code) {
    case "ENOENT":
    case "ENOTDIR":
      return new SpawnError(
        "ERR_PLUGIN_NOT_FOUND",
        path,
        `cannot start plugin ${path}: ${whatIsMissing(attempt)} (${code})`,
        cause,
      );
    case "EACCES":
    case "ENOEXEC":
    case "EISDIR":
    case "EPERM":
      return new SpawnError(
        "ERR_PLUGIN_NOT_EXECUTABLE",
        path,
        `cannot start plugin ${path}: ${isDirectory(fileOf(attempt)) ? "it is a directory" : "it cannot be executed"} (${code})`,
        cause,
      );
    default:
      return new SpawnError("ERR_PLUGIN_SPAWN", path, `cannot start plugin ${path}: ${String(cause)}`, cause);
  }
}

function whatIsMissing(attempt: Attempt): string {
  const { cwd } = attempt;
  if (cwd !== undefined && !isDirectory(cwd)) return `there is no working directory ${cwd}`;
  const file = fileOf(attempt);
  if (isMissing(file)) return `there is no file ${file}`;
  const interpreter = interpreterOf(file);
  if (interpreter === undefined) return `the interpreter or the dynamic loader of ${file} is missing`;
  return `${file} needs ${interpreter}, which is missing`;
}

/**
 * Why Windows does not start a file that is there: it goes by the name, knows no `#!`, and has batch files run by a shell,
 * which would be all that a host could end. Its own errors say nothing of that: ENOENT, EINVAL, UNKNOWN.
 */
function whyUnfitForWindows(attempt: Attempt): string | undefined {
  const file = fileOf(attempt);
  if (isMissing(file) || isDirectory(file)) return undefined;
  const instead = "start the program that runs it instead, such as [process.execPath, file]";
  if (/\.(?:bat|cmd)$/i.test(file))
    return `${file} is a batch file, and Node runs those in a shell only: ${instead}`;
  const format = executableKind(readHead(file))?.format;
  if (format === "PE") return /\.[^.\\/]+$/.test(file) ? undefined : `${file} has no extension, such as .exe`;
  return `${file} is no Windows program: ${format === undefined || format === "script" ? instead : `it is for another system (${format})`}`;
}

function isMissing(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false }) === undefined;
}

/** Relative paths are meant from the plugin's working directory, as the system takes them. */
function fileOf({ file, cwd }: Attempt): string {
  try {
    return resolve(cwd ?? "", file);
  } catch {
    // No working directory is left to name the file from.
    return file;
  }
}

/** What a script's first line names, or a binary as its dynamic loader: `/lib/ld-musl-x86_64.so.1` on a system of glibc. */
function interpreterOf(file: string): string | undefined {
  const head = readHead(file);
  const kind = executableKind(head);
  if (kind?.format === "script") return kind.machine.split(/\s/, 1)[0];
  if (kind?.format !== "ELF") return undefined;
  return /\/[\x21-\x7e]*\/ld[\x21-\x7e]*(?=\0)/.exec(head.toString("latin1"))?.[0];
}

function readHead(file: string): Buffer {
  const head = Buffer.alloc(4096);
  try {
    const fd = openSync(file, "r");
    try {
      return head.subarray(0, readSync(fd, head));
    } finally {
      closeSync(fd);
    }
  } catch {
    return head.subarray(0, 0);
  }
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
