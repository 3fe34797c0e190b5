import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const child = fileURLToPath(new URL("children/last-panic.ts", import.meta.url));

function stderrOf(way: string): string {
  const args = ["--import", import.meta.resolve("tsx"), child, way];
  return spawnSync(process.execPath, args, { encoding: "utf8", timeout: 60_000 }).stderr;
}

test("what a plugin dies of begins as a panic does, and Node's own report follows", () => {
  assert.match(stderrOf("throw"), /^panic: Error: uncaught\n(?:.*\n)*Error: uncaught\n {4}at /);
  assert.match(stderrOf("reject"), /^panic: Error: unhandled\n(?:.*\n)*Error: unhandled\n {4}at /);
  assert.match(stderrOf("hostile"), /^panic: a value that cannot be shown\n/);
});

test("nothing is announced where the process lives on, or serves no more", () => {
  assert.equal(stderrOf("handled"), "handled\n");
  assert.doesNotMatch(stderrOf("removed"), /^panic:/m);
});
