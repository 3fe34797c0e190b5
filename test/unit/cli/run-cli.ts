import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../../../src/cli/main.ts", import.meta.url));

/** What a run of the command gave. */
export interface Ran {
  code: number | null;
  out: string;
  err: string;
}

/** Runs `goplug` with arguments, to its end. */
export function goplug(
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv; input?: string | Buffer } = {},
): Ran {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["--import", import.meta.resolve("tsx"), main, ...args],
    { ...options, encoding: "utf8", timeout: 120_000, maxBuffer: 64 << 20 },
  );
  return { code: status, out: stdout, err: stderr };
}
