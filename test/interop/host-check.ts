// Runs the checks of go-fixtures/hosts/host-check, and of the old hosts, which take the same arguments.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { pluginCommand } from "./build-plugins.js";
import type { Case } from "./case.js";

/** A case that has a Go host run one check on a TypeScript fixture plugin. */
export function hostCheckCase(
  pair: string,
  host: string,
  plugin: string,
  name: string,
  args: readonly string[] = [],
  suffix = "",
): Case {
  return {
    name: `${pair} netrpc ${name}${suffix}`,
    needs: [host],
    timeoutMs: 90_000,
    async run({ signal, bin }) {
      const command = await pluginCommand(plugin, ...args);
      const { code, output } = await runHostCheck(bin(host), ["-case", name, "--", ...command], signal);
      assert.equal(code, 0, output);
    },
  };
}

export function runHostCheck(
  file: string,
  args: string[],
  signal: AbortSignal,
): Promise<{ code: unknown; output: string }> {
  return new Promise((resolve) => {
    execFile(file, args, { signal, maxBuffer: 1 << 24 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : (error.code ?? error.signal), output: `${stdout}${stderr}` });
    });
  });
}
