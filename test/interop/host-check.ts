// Runs the checks of go-fixtures/hosts/host-check, and of the old hosts, which take the same arguments.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pluginCommand } from "./build-plugins.js";
import type { Case } from "./case.js";
import { isKept } from "./leftovers.js";

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
      await runCheck(bin(host), name, command, signal);
    },
  };
}

/**
 * Checks in which the plugin may have no time to clean up: it kills itself, its handshake does not suit the host, which then kills
 * it, or it is deaf for longer than the host is patient. A Go host leaves the socket of such a plugin where it is, as it does with plugins in Go.
 */
const mayLeaveSocket =
  /^(handshake-incompatible|(grpc-)?(killed-in-call|kill-blocked)|grpc-(not-allowed|versioned-none))$/;

/** Has a Go host run one check on a plugin. */
export async function runCheck(
  host: string,
  name: string,
  command: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const args = ["-case", name, "--", ...command];
  if (!mayLeaveSocket.test(name)) {
    const { code, output } = await runHostCheck(host, args, signal);
    assert.equal(code, 0, output);
    return;
  }
  const folder = await mkdtemp(join(tmpdir(), "left-"));
  try {
    const { code, output } = await runHostCheck(host, args, signal, { TMPDIR: folder });
    assert.equal(code, 0, output);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/**
 * Runs a Go host that prints go-plugin's log, to a good end and in a folder for temporary files of its own. go-plugin kills a
 * plugin that has not ended 2 s after it was asked to, which a busy machine can bring about, and leaves that one's socket;
 * anything else that is left is a failure.
 */
export async function runHost(host: string, args: string[], signal: AbortSignal): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "left-"));
  try {
    const { code, output } = await runHostCheck(host, args, signal, { TMPDIR: folder });
    assert.equal(code, 0, output);
    const left = (await readdir(folder)).filter((name) => !isKept(name));
    if (!output.includes("plugin failed to exit gracefully")) assert.deepEqual(left, [], output);
  } finally {
    await rm(folder, { recursive: true });
  }
}

export function runHostCheck(
  file: string,
  args: string[],
  signal: AbortSignal,
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: unknown; output: string }> {
  const options = { signal, maxBuffer: 1 << 24, env: { ...process.env, ...env } };
  return new Promise((resolve) => {
    execFile(file, args, options, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : (error.code ?? error.signal), output: `${stdout}${stderr}` });
    });
  });
}
