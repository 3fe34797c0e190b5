// From launch to first answer: TypeScript plugins under a Go host, beside a Python plugin and beside Node itself.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { pluginCommand } from "../test/interop/build-plugins.js";
import { bundle, bundleFile } from "../test/interop/bundle.js";
import { binary } from "../test/interop/case.js";
import { alternate, type Row, row, type Suite } from "./harness.js";

const rounds = 15;
const run = promisify(execFile);
const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

async function answered(...command: string[]): Promise<number> {
  const { stdout } = await run(binary("bench-start"), ["--", ...command]);
  return (JSON.parse(stdout) as { milliseconds: [number] }).milliseconds[0];
}

/** Node from its launch to its end, with nothing to do. */
async function bareNode(): Promise<number> {
  const start = performance.now();
  await run(process.execPath, ["-e", "0"]);
  return performance.now() - start;
}

export const suite: Suite = {
  name: "start: from launch to first answer, under a Go host",
  async run(wanted) {
    // The gRPC plugin uses what this compiles.
    await pluginCommand("kv-grpc");
    const rows: Row[] = [];
    const plugin = (protocol: string) => () =>
      answered(process.execPath, path(`start/${protocol}-plugin.mjs`));
    for (const [name, protocol] of [
      ["start.netrpc", "netrpc"],
      ["start.grpc.grpc-js", "grpc-js"],
    ] as const) {
      if (!wanted(name)) continue;
      const { goplug, node } = await alternate(rounds, { goplug: plugin(protocol), node: bareNode });
      rows.push(row(name, "ms", "lower", goplug, "node -e 0", node));
    }
    if (wanted("start.grpc")) {
      // As one ships it: protobuf-es alone is some eighty files, which take as long as all the rest.
      const bundled = await bundleFile(path("start/grpc-plugin.mjs"));
      const goplug = (): Promise<number> => answered(process.execPath, bundled);
      const figures = await alternate(rounds, { goplug, node: bareNode });
      rows.push(row("start.grpc", "ms", "lower", figures.goplug, "node -e 0", figures.node));
    }
    if (wanted("start.mattermost")) {
      // The whole of Mattermost's contract, until its own host has seen OnActivate return.
      const plugin = await bundle("mattermost");
      const activated = async (): Promise<number> => {
        const { stdout } = await run(binary("mattermost-host"), ["-case", "start", "--", plugin]);
        return Number.parseInt(stdout, 10);
      };
      const { goplug, node } = await alternate(rounds, { goplug: activated, node: bareNode });
      rows.push(row("start.mattermost", "ms", "lower", goplug, "node -e 0", node));
    }
    const python = path("../go-fixtures/python/.venv/bin/python");
    if (wanted("start.grpc.python") && existsSync(python)) {
      const figures = await alternate(rounds, {
        goplug: plugin("grpc-js"),
        python: () => answered(python, path("../go-fixtures/python/kv_plugin.py")),
      });
      const { goplug, python: peer } = figures;
      rows.push(row("start.grpc.python", "ms", "lower", goplug, "Python grpcio plugin", peer));
    }
    return rows;
  },
};
