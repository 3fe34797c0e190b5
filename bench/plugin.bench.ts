// A Go host on a TypeScript plugin beside the same Go host on a Go plugin.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { pluginCommand } from "../test/interop/build-plugins.js";
import { binary } from "../test/interop/case.js";
import { alternate, type Row, row, type Suite } from "./harness.js";

const rounds = 7;

/** bench-host-kv's modes, and the calls that a measurement makes. */
const modes = [
  { row: "plugin.sequential", mode: "sequential", calls: 10_000, size: 64 },
  { row: "plugin.inflight64", mode: "inflight64", calls: 40_000, size: 64 },
  { row: "plugin.echo64k", mode: "echo64k", calls: 3000, size: 65_536 },
  { row: "plugin.get1MiB", mode: "get1MiB", calls: 300, size: 1 << 20 },
];

const run = promisify(execFile);

async function measure({ mode, calls, size }: (typeof modes)[number], command: string[]): Promise<number> {
  const settings = ["-mode", mode, "-n", String(calls), "-size", String(size)];
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
