import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const file = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

test("everything works where code generation from strings is forbidden", () => {
  const files = ["valid.test.ts", "go-codec.test.ts", "go-encoder.test.ts", "go-gobencdec.test.ts"].map(file);
  const forbid = ["--disallow-code-generation-from-strings", "--import", "tsx", "--test-reporter=tap"];
  const check = spawnSync(process.execPath, [...forbid, "-e", 'new Function("")'], { timeout: 60_000 });
  assert.notEqual(check.status, 0, "the flag does not forbid it");
  for (const path of files) {
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const run = spawnSync(process.execPath, [...forbid, path], { timeout: 120_000, encoding: "utf8", env });
    assert.equal(
      run.status,
      0,
      `${path}\n${run.stdout
        .split("\n")
        .filter((line) => line.startsWith("not ok"))
        .join("\n")}${run.stderr}`,
    );
    assert.match(run.stdout, /# pass [1-9]/);
  }
});
