// `npm test`: what `make test` runs; on Windows, which has no make, those tests that do not need another system.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));

/** The folders of test/unit that are not about signals, shells and unix sockets. */
const unit = [
  ...["broker", "definition", "gob", "grpc", "hclog", "host", "http2", "netrpc", "protocol"],
  ...["socket", "streams", "testing", "tls", "yamux"],
];
const further = [
  "env",
  "explain-spawn",
  "host-end",
  "line-splitter",
  "look-path",
  "output-copy",
  "read-out",
  "tail",
];

/** Both sides in TypeScript and Go; peers of other kinds are not built for Windows. */
const matrix = process.argv[2] ?? "^(ts|go)->(ts|go) (netrpc|grpc) ";

function run(command: string, args: readonly string[], cwd?: string): boolean {
  const { status, error } = spawnSync(command, args, { stdio: "inherit", cwd });
  if (error !== undefined) console.log(`there is no ${command} here (${error.message})`);
  return status === 0;
}

function testFiles(): string[] {
  const inFolders = unit.flatMap((folder) =>
    readdirSync(`test/unit/${folder}`, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".test.ts"))
      .map((name) => `test/unit/${folder}/${name}`),
  );
  return [...inFolders, ...further.map((name) => `test/unit/process/${name}.test.ts`)];
}

function testOnWindows(): boolean {
  // Under Wine there is no Go: the programs have been built before, as they may have been elsewhere.
  const isBuilt = existsSync("go-fixtures/bin/windows");
  if (process.env.WINEPREFIX === undefined || !isBuilt)
    run("go", ["build", "-o", "bin/windows/", "./..."], "go-fixtures");
  const node = (...args: string[]): boolean => run(process.execPath, ["--import", "tsx", ...args]);
  const unitPassed = process.argv[2] !== undefined || node("--test", "--test-reporter=spec", ...testFiles());
  return node("test/interop/main.ts", matrix) && unitPassed;
}

process.exitCode = (process.platform === "win32" ? testOnWindows() : run("make", ["test"])) ? 0 : 1;
