// Compiles the TypeScript fixture plugins, which are started as plain `node`: a loader would cost each start a
// process of its own and a quarter of a second.
import { readdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build as compile } from "esbuild";

const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = fileURLToPath(new URL("plugins/", import.meta.url));
const sources = ["src", "test/interop/gen", "test/interop/plugins"];
let built: Promise<unknown> | undefined;

/** The command line of a fixture plugin, by the name of its file. */
export async function pluginCommand(name: string, ...args: string[]): Promise<[string, ...string[]]> {
  built ??= build();
  await built;
  return [process.execPath, `${folder}dist/test/interop/plugins/${name}.js`, ...args];
}

async function build(): Promise<void> {
  await compile({
    absWorkingDir: root,
    entryPoints: sources.flatMap(typeScriptOf),
    outdir: `${folder}dist`,
    outbase: root,
    format: "esm",
    platform: "node",
    target: "node20.19",
    logLevel: "error",
  });
  writeFileSync(`${folder}dist/package.json`, '{ "type": "module" }\n');
}

function typeScriptOf(source: string): string[] {
  return readdirSync(`${root}${source}`, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.startsWith("dist"))
    .map((name) => `${source}/${name}`);
}
