// The examples, untouched, under other runtimes: Node that strips the types itself, Bun, Deno. `make test-runtimes` fetches these.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { describe, test } from "node:test";
import { promisify } from "node:util";
import { examples, program as file } from "../examples/table.js";
import { binary } from "../interop/case.js";
import { root, runtimePath } from "./support.js";

const run = promisify(execFile);

/** The command that runs a TypeScript file in each. */
const runtimes: Readonly<Record<string, () => readonly string[]>> = {
  "node 22": () => [`${runtimePath("22")}/node`, "--disable-warning=ExperimentalWarning"],
  "node 24": () => [`${runtimePath("24")}/node`],
  bun: () => [`${runtimePath("bun")}/bun`],
  deno: () => [`${runtimePath("deno")}/deno`, "run", "--quiet", "--allow-all"],
};

const printed = (name: string): string => join(root, "test/runtimes/programs", name);

for (const [runtime, command] of Object.entries(runtimes)) {
  const [program, ...options] = command() as [string, ...string[]];
  describe(runtime, () => {
    for (const [role, host, plugin] of [
      ["a plugin", [process.execPath], [program, ...options]],
      ["a host", [program, ...options], [process.execPath]],
    ] as const) {
      test(`console reaches the host, over AutoMTLS: ${role}`, async () => {
        const [file, ...args] = [...host, printed("printing-host.mjs"), ...plugin, printed("printer.mjs")];
        const { stdout } = await run(file!, args, { cwd: root, timeout: 60_000 });
        assert.deepEqual(JSON.parse(stdout), { stdout: "before\nout text\n", stderr: "err text\n" });
      });
    }
    for (const [name, { stdout, stderr, go, checks }] of Object.entries(examples)) {
      test(`${name}: its host, a Go plugin`, async () => {
        const args = [...options, file(name, "host"), binary(go)];
        const env = { ...process.env, GOPLUG_LOG: "error" };
        const printed = await run(program, args, { cwd: root, env });
        assert.match(printed.stdout, stdout);
        assert.equal(printed.stderr, stderr);
      });

      if (checks.length === 0) continue;
      test(`${name}: its plugin, a Go host: ${checks.join(", ")}`, async () => {
        const plugin = [program, ...options, file(name, "plugin")];
        await run(binary("host-check"), ["-case", checks.join(), "--", ...plugin], { cwd: root });
      });
    }
  });
}
