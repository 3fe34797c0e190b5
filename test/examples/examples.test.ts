// Every example's host runs with the Go plugin and with the TypeScript one, and prints the same.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { binary } from "../interop/case.js";
import { needs } from "../support.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const run = promisify(execFile);

const examples: Record<string, { stdout: RegExp; stderr: string; checks: string[] }> = {
  greeter: {
    stdout: /^handshake: +unix \S+\nprotocol: +netrpc\nnegotiated version: 1\nGreet\(\): +Hello!\n$/,
    stderr: "",
    checks: ["greeter", "dispense-100", "kill-graceful"],
  },
  kv: {
    stdout: /^Get\(greeting\): Hello from Node\nGet\(nothing\): {2}RemoteError: key not found: nothing\n$/,
    stderr: "",
    checks: ["kv-empty", "kv-64B", "kv-1MiB", "kv-missing-key", "kv-overwrite", "ping"],
  },
  counter: {
    stdout: /^the plugin asks for 0 \+ 40\nthe plugin asks for 40 \+ 2\nGet\(answer\): 42n\n$/,
    stderr: "",
    checks: ["counter-callback", "counter-helper-error"],
  },
  stdio: {
    stdout: /^the plugin's stdout\n$/,
    stderr: "the plugin's stderr\n",
    checks: ["stdio-text"],
  },
};

for (const [name, { stdout, stderr, checks }] of Object.entries(examples)) {
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

    test("TypeScript host, Go plugin", needs(`${name}-netrpc`), () => host(binary(`${name}-netrpc`)));

    for (const check of checks) {
      test(`Go host, TypeScript plugin: ${check}`, needs("host-check"), async () => {
        await run(binary("host-check"), ["-case", check, "--", ...typescript], { cwd: root });
      });
    }
  });
}
