import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { CommandError } from "../fail.js";

/** The folder of the generator's Go half, from the source or from the bundle. */
function goFolder(): string {
  let at = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    const folder = join(at, "src", "cli", "go");
    if (existsSync(join(folder, "main.go"))) return folder;
    const up = dirname(at);
    if (up === at) throw new CommandError("goplug's package is not whole: src/cli/go is missing");
    at = up;
  }
}

/**
 * Runs the generator's Go half in a folder and gives what it wrote. It is compiled by the Go of that folder's module, so that it reads
 * what that compiler writes.
 */
export async function runGo(args: readonly string[], cwd: string): Promise<string> {
  const folder = goFolder();
  const files = readdirSync(folder)
    .filter((name) => name.endsWith(".go"))
    .map((name) => join(folder, name));
  const child = spawn("go", ["run", ...files, ...args], { cwd, stdio: ["ignore", "pipe", "pipe"] });
  const [out, err]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" && existsSync(cwd))
      throw new CommandError(
        "Go is not installed, or not in PATH: `go` is needed (a contract needs none: --from)",
      );
    throw new CommandError(`go cannot be run in ${cwd}: ${error.message}`);
  });
  if (code !== 0) throw new CommandError(complaint(Buffer.concat(err).toString("utf8"), folder));
  return Buffer.concat(out).toString("utf8");
}

/** The line of Go's output that says what is wrong. */
function complaint(stderr: string, folder: string): string {
  const lines = stderr
    .split("\n")
    .filter((line) => line !== "" && !/^(exit status|go: downloading|#) ?/.test(line));
  const [first = "go run failed without a word"] = lines;
  // Go's half itself does not compile.
  return first.includes(folder) ? `Go 1.22 or newer is needed: ${first}` : first;
}
