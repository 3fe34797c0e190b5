import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../..", import.meta.url));
const shop = fileURLToPath(new URL("shop/", import.meta.url));

/** Generates the Go half of definitions in TypeScript, compiles a Go host with it, and has that drive a plugin of the definitions. */
export async function driveByGoHalf(signal: AbortSignal): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "half-"));
  const tsx = ["--import", import.meta.resolve("tsx")];
  try {
    const out = join(folder, "shop.go");
    const args = ["gen", "--go", join(shop, "definitions.ts"), "--package", "main", "--out", out];
    await run(process.execPath, [...tsx, join(root, "src/cli/main.ts"), ...args], { signal });
    const { stdout: unformatted } = await run("gofmt", ["-d", out], { signal });
    assert.equal(unformatted, "", "gofmt has something to say");
    copyFileSync(join(shop, "host.go"), join(folder, "host.go"));
    const binary = join(folder, "host");
    const files = ["shop.go", "host.go"].map((name) => join(folder, name));
    const module = join(root, "go-fixtures");
    await run("go", ["vet", ...files], { cwd: module, signal });
    await run("go", ["build", "-o", binary, ...files], { cwd: module, signal });
    const { stdout } = await run(binary, [process.execPath, ...tsx, join(shop, "plugin.program.ts")], {
      signal,
    });
    assert.equal(stdout, "ok\n");
  } finally {
    rmSync(folder, { recursive: true });
  }
}
