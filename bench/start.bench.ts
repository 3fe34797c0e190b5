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

/** The gRPC plugin's starter, recorded under the host that measures it. */
async function precompiled(): Promise<string> {
  const plugin = await bundleFile(path("start/grpc-plugin.mjs"), {
    format: "cjs",
    minifyWhitespace: true,
    supported: { "dynamic-import": false },
  });
  const starter = plugin.replace(/cjs$/, "start.cjs");
  const host = [binary("bench-start"), "--", process.execPath, starter];
  await run(process.execPath, [path("../dist/cli/main.js"), "precompile", plugin, "--", ...host]);
  return starter;
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
    // As one ships it: protobuf-es alone is some eighty files, which take as long as all the rest.
    let bundled: Promise<string> | undefined;
    const oneFile = async (): Promise<number> => {
      bundled ??= bundleFile(path("start/grpc-plugin.mjs"), { minifyWhitespace: true });
      return answered(process.execPath, await bundled);
    };
    if (wanted("start.grpc") || wanted("start.grpc.precompiled") || wanted("start.grpc.go")) {
      await oneFile();
      const starter = await precompiled();
      const { goplug, starts, node, go } = await alternate(rounds, {
        goplug: oneFile,
        starts: () => answered(process.execPath, starter),
        node: bareNode,
        // What the host and the starting of a process take, whatever the plugin is written in.
        go: () => answered(binary("kv-grpc")),
      });
      rows.push(row("start.grpc", "ms", "lower", goplug, "node -e 0", node));
      rows.push(row("start.grpc.precompiled", "ms", "lower", starts, "node -e 0", node));
      rows.push(row("start.grpc.go", "ms", "lower", goplug, "Go plugin", go));
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
      await oneFile();
      const figures = await alternate(rounds, {
        goplug: plugin("grpc-js"),
        protobuf: oneFile,
        python: () => answered(python, path("../go-fixtures/python/kv_plugin.py")),
      });
      const { goplug, protobuf, python: peer } = figures;
      rows.push(row("start.grpc.python", "ms", "lower", goplug, "Python grpcio plugin", peer));
      rows.push(row("start.grpc.python.protobuf", "ms", "lower", protobuf, "Python grpcio plugin", peer));
    }
    return rows;
  },
};
