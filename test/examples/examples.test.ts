// Every example's host runs with the Go plugin and with its own, and prints the same.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { binary } from "../interop/case.js";
import { needs } from "../support.js";
import { examples, program } from "./table.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const run = promisify(execFile);

for (const [name, { stdout, stderr, go, checks, extension }] of Object.entries(examples)) {
  const loader = extension === undefined ? ["--import", "tsx"] : [];
  const own = [process.execPath, ...loader, program(name, "plugin")];
  const host = async (...plugin: string[]): Promise<void> => {
    const args = [...loader, program(name, "host"), ...plugin];
    const env = { ...process.env, GOPLUG_LOG: "error" };
    const printed = await run(process.execPath, args, { cwd: root, env });
    assert.match(printed.stdout, stdout);
    assert.equal(printed.stderr, stderr);
  };

  describe(`examples/${name}`, () => {
    test("its host, its plugin", () => host(...own));

    test("its host, Go plugin", needs(go), () => host(binary(go)));

    for (const check of checks) {
      test(`Go host, its plugin: ${check}`, needs("host-check"), async () => {
        await run(binary("host-check"), ["-case", check, "--", ...own], { cwd: root });
      });
    }
  });
}
