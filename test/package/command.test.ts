// The command as users run it: the built file, by node alone.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

function goplug(...args: string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["dist/cli/main.js", ...args], {
    cwd: root,
    encoding: "utf8",
    timeout: 120_000,
  });
  return { code: status, out: stdout, err: stderr };
}

test("the command says its version", () => {
  const { version } = JSON.parse(readFileSync(`${root}/package.json`, "utf8"));
  assert.deepEqual(goplug("--version"), { code: 0, out: `${version}\n`, err: "" });
});

test("definitions in TypeScript are loaded, by the project's tsx where Node does not load them itself", () => {
  const { code, out, err } = goplug("gen", "--go", "examples/counter/shared.ts", "--package", "counter");
  assert.equal(code, 0, err);
  assert.match(out, /^package counter$/m);
});
