// What the packed goplug declares, checked whole (no skipLibCheck) with the types of each line of Node under an old compiler and
// under this repository's. `make test-runtimes` fetches them.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { pack, root, runtimePath, unpack } from "./support.js";

interface PackageJson {
  readonly exports: Readonly<Record<string, unknown>>;
  readonly dependencies: Readonly<Record<string, string>>;
}
const { exports, dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as PackageJson;

const runtimes = join(root, ".runtimes");
mkdirSync(runtimes, { recursive: true });
const folder = mkdtempSync(join(runtimes, "declarations-"));
after(() => rmSync(folder, { recursive: true }));

const tarball = pack(folder);

const entries = Object.keys(exports).filter((entry) => !entry.endsWith(".json"));
const imported = entries.map((entry, i) => `import * as entry${i} from "goplug${entry.slice(1)}";`);
const program = `${imported.join("\n")}\nconsole.log(${entries.map((_, i) => `entry${i}`).join(", ")});\n`;

/** A project with the packed goplug, its dependencies without their own types of Node, and those of a line. */
function project(line: string): string {
  const made = join(folder, `node-${line}`);
  unpack(tarball, made);
  for (const name of Object.keys(dependencies)) {
    mkdirSync(dirname(join(made, "node_modules", name)), { recursive: true });
    symlinkSync(join(root, "node_modules", name), join(made, "node_modules", name), "junction");
  }
  const types = runtimePath(`node-types-${line}`);
  for (const name of ["@types", "undici-types"]) {
    symlinkSync(join(types, name), join(made, "node_modules", name), "junction");
  }
  const compilerOptions = {
    module: "nodenext",
    target: "es2022",
    lib: ["es2023", "esnext.disposable"],
    strict: true,
    exactOptionalPropertyTypes: true,
    types: ["node"],
    noEmit: true,
    skipLibCheck: false,
  };
  writeFileSync(join(made, "package.json"), '{ "type": "module", "private": true }\n');
  writeFileSync(join(made, "esm.ts"), program);
  writeFileSync(join(made, "commonjs.cts"), program);
  writeFileSync(join(made, "tsconfig.json"), JSON.stringify({ compilerOptions }));
  return made;
}

/** What a compiler says against a project; nothing is what it should. */
function complaints(compiler: string, made: string): Promise<string> {
  return new Promise((resolve) => {
    execFile(join(compiler, "tsc"), ["-p", made], { timeout: 300_000 }, (error, stdout) =>
      resolve(error === null ? stdout : `${stdout}${error.message}`),
    );
  });
}

const compilers = { "7": join(root, "node_modules/.bin"), "5.7": runtimePath("typescript-5.7") };

for (const line of ["20", "22", "24", "26"]) {
  const made = project(line);
  for (const [version, compiler] of Object.entries(compilers)) {
    test(`@types/node ${line}, TypeScript ${version}`, async () => {
      assert.equal(await complaints(compiler, made), "");
    });
  }
}
