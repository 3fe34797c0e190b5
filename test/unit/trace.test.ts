import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { transformSync } from "esbuild";

const folder = mkdtempSync(join(tmpdir(), "trace-"));
after(() => rmSync(folder, { recursive: true }));

test("DEBUG does not end a bundled program that has no package debug beside it", () => {
  const source = readFileSync(new URL("../../src/trace.ts", import.meta.url), "utf8");
  const { code } = transformSync(source, { loader: "ts", format: "esm" });
  const file = join(folder, "bundle.mjs");
  writeFileSync(
    file,
    `${code}
createTrace("goplug:a");
createTrace("goplug:b")("nothing");
console.log("alive");`,
  );
  const { stdout, stderr, status } = spawnSync(process.execPath, [file], {
    encoding: "utf8",
    env: { ...process.env, DEBUG: "*" },
  });
  assert.equal(stdout, "alive\n");
  assert.equal(stderr.match(/the package debug is not to be found/g)?.length, 1);
  assert.equal(status, 0);
});
