import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import Module from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { Script } from "node:vm";
import { goplug, type Ran } from "./run-cli.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "precompile-"));
  write("plugin.cjs", plugin);
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Says all that a program can see of how it was started. */
const plugin = `#!/usr/bin/env node
function onlyWhenCalled() { return "\\u00e9\u00e9"; }
const { basename } = require("node:path");
exports.any = 1;
const seen = [basename(__filename), __dirname === process.cwd(), require.main === module, module.exports.any, process.argv.slice(2)];
console.log(JSON.stringify(seen), onlyWhenCalled());
setTimeout(() => process.exit(3));
`;

function write(name: string, text: string): void {
  writeFileSync(join(folder, name), text);
}

/** A program that starts a plugin, and waits for its end. */
const host = [
  process.execPath,
  "-e",
  'require("node:child_process").spawnSync(process.execPath, process.argv.slice(1), { stdio: "inherit" })',
];

function precompile(...args: string[]): Ran {
  return goplug(["precompile", ...args], { cwd: folder });
}

function start(): string {
  try {
    return execFileSync(process.execPath, ["plugin.start.cjs", "a"], { cwd: folder, encoding: "utf8" });
  } catch (error) {
    const { status, stdout } = error as { status: number; stdout: string };
    assert.equal(status, 3);
    return stdout;
  }
}

const said = '["plugin.start.cjs",true,true,1,["a"]] \u00e9\u00e9\n';

/** The script in the file beside the starter, compiled with the code that is there. */
function compiled(): Script {
  const bytes = readFileSync(join(folder, "plugin.start.bin"));
  const end = 4 + bytes.readUInt32LE();
  const source = bytes.subarray(4, end).toString();
  return new Script(Module.wrap(source), { cachedData: bytes.subarray(end) });
}

test("a precompiled plugin sees and does what the plugin does, and its code is taken", () => {
  const { code, err } = precompile("plugin.cjs", "--", ...host, "plugin.start.cjs");
  assert.deepEqual({ code, err }, { code: 0, err: "" });
  assert.equal(start(), said);
  assert.equal(compiled().cachedDataRejected, false);
});

test("a start writes nothing", () => {
  precompile("plugin.cjs", "--", ...host, "plugin.start.cjs");
  const state = (): unknown =>
    readdirSync(folder).map((name) => [
      name,
      statSync(join(folder, name)).mtimeMs,
      readFileSync(join(folder, name)),
    ]);
  const before = state();
  start();
  assert.deepEqual(state(), before);
});

test("a plugin whose code V8 refuses is compiled as usual", () => {
  // V8 looks at no code for a script that this process has compiled before.
  write("plugin.cjs", `${plugin}// another\n`);
  precompile("plugin.cjs", "--", ...host, "plugin.start.cjs");
  const path = join(folder, "plugin.start.bin");
  const bytes = readFileSync(path);
  const end = 4 + bytes.readUInt32LE();
  writeFileSync(path, bytes.fill(0, end, end + 16));
  assert.equal(compiled().cachedDataRejected, true);
  assert.equal(start(), said);
});

test("what is precompiled can be precompiled anew", () => {
  precompile("plugin.cjs", "--", ...host, "plugin.start.cjs");
  // As long as before, which is all that V8 compares.
  write("plugin.cjs", plugin.replace('"\\u00e9', '"\\u00e8'));
  assert.equal(start(), said);
  assert.equal(precompile("plugin.cjs", "--", ...host, "plugin.start.cjs").code, 0);
  assert.equal(start(), said.replace("\u00e9", "\u00e8"));
});

for (const [what, args, message] of [
  [
    "a host that starts another file",
    ["plugin.cjs", "--", ...host, "plugin.cjs"],
    /has started no plugin as/,
  ],
  ["a host that fails", ["plugin.cjs", "--", process.execPath, "-e", "process.exit(4)"], /exit code 4/],
  ["a host that is not there", ["plugin.cjs", "--", "./nothing"], /cannot start \.\/nothing/],
  ["no host", ["plugin.cjs"], /comes after --/],
  ["an ES module", ["module.mjs", "--", ...host], /no script in CommonJS/],
  ["no plugin", ["nothing.cjs", "--", ...host], /cannot read nothing\.cjs/],
  ["the plugin's own name", ["plugin.cjs", "--out", "plugin.cjs", "--", ...host], /would be overwritten/],
] as const) {
  test(`${what} is refused, and leaves nothing`, () => {
    write("module.mjs", "export const a = 1;");
    const { code, err } = precompile(...args);
    assert.equal(code, 2);
    assert.match(err, message);
    assert.deepEqual(readdirSync(folder), ["module.mjs", "plugin.cjs"]);
  });
}

test("import() in a plugin is warned of, and fails when the host runs it", () => {
  write("plugin.cjs", 'import("node:fs").catch(() => process.abort());');
  const { code, err } = precompile("plugin.cjs", "--", ...host, "plugin.start.cjs");
  assert.equal(code, 2);
  assert.match(err, /import\( stands in plugin\.cjs.*--supported:dynamic-import=false/);
  assert.match(err, /has started no plugin/);
});

test("a file that was not made by it is left as it is", () => {
  write("plugin.start.cjs", "mine");
  assert.match(precompile("plugin.cjs", "--", ...host, "plugin.start.cjs").err, /was not generated/);
  assert.equal(readFileSync(join(folder, "plugin.start.cjs"), "utf8"), "mine");
  assert.equal(existsSync(join(folder, "plugin.start.bin")), false);
});
