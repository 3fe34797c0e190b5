// Every example's host runs with the Go plugin and with the TypeScript one, and prints the same.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { binary } from "../interop/case.js";
import { needs } from "../support.js";
import { examples } from "./table.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const run = promisify(execFile);

for (const [name, { stdout, stderr, go, checks }] of Object.entries(examples)) {
  const typescript = [process.execPath, "--import", "tsx", `examples/${name}/plugin.ts`];
  const host = async (...plugin: string[]): Promise<void> => {
    const args = ["--import", "tsx", `examples/${name}/host.ts`, ...plugin];
    const env = { ...process.env, GOPLUG_LOG: "error" };
    const printed = await run(process.execPath, args, { cwd: root, env });
    assert.match(printed.stdout, stdout);
    assert.equal(printed.stderr, stderr);
  };

  describe(`examples/${name}`, () => {
    test("TypeScript host, TypeScript plugin", () => host(...typescript));

    test("TypeScript host, Go plugin", needs(go), () => host(binary(go)));

    for (const check of checks) {
      test(`Go host, TypeScript plugin: ${check}`, needs("host-check"), async () => {
        await run(binary("host-check"), ["-case", check, "--", ...typescript], { cwd: root });
      });
    }
  });
}
