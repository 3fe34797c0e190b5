// A Go host on a TypeScript plugin beside the same Go host on a Go plugin.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { pluginCommand } from "../test/interop/build-plugins.js";
import { binary } from "../test/interop/case.js";
import { alternate, type Row, row, type Suite } from "./harness.js";

const rounds = 7;

/** bench-host-kv's modes, and the calls that a measurement makes: after as many as V8 takes to compile what they run. */
const modes = [
  { row: "plugin.sequential", mode: "sequential", warmup: 2000, calls: 10_000, size: 64 },
  { row: "plugin.inflight64", mode: "inflight64", warmup: 2000, calls: 40_000, size: 64 },
  { row: "plugin.echo64k", mode: "echo64k", warmup: 2000, calls: 3000, size: 65_536 },
  { row: "plugin.get1MiB", mode: "get1MiB", warmup: 800, calls: 300, size: 1 << 20 },
];

const run = promisify(execFile);

async function measure(
  { mode, warmup, calls, size }: (typeof modes)[number],
  command: string[],
): Promise<number> {
  const settings = ["-mode", mode, "-warmup", String(warmup), "-n", String(calls), "-size", String(size)];
  const { stdout } = await run(binary("bench-host-kv"), [...settings, "--", ...command]);
  const result = JSON.parse(stdout) as { calls: number; seconds: number };
  return result.calls / result.seconds;
}

export const suite: Suite = {
  name: "net/rpc: a TypeScript plugin beside a Go plugin, under the same Go host",
  async run(wanted) {
    const command = await pluginCommand("kv");
    const rows: Row[] = [];
    for (const mode of modes.filter((m) => wanted(m.row))) {
      const figures = await alternate(rounds, {
        goplug: () => measure(mode, command),
        go: () => measure(mode, [binary("kv-netrpc")]),
      });
      rows.push(row(mode.row, "calls/s", "higher", figures.goplug, "Go plugin", figures.go, 1));
    }
    return rows;
  },
};
