// Compiles the TypeScript fixture plugins, which are started as plain `node`: a loader would cost each start a
// process of its own and a quarter of a second.
import { readdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build as compile } from "esbuild";

const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = fileURLToPath(new URL("plugins/", import.meta.url));
const hide = new URL("without-grpc-js/hide.mjs", import.meta.url).href;
let built: Promise<unknown> | undefined;

/** The command line of a fixture plugin, by the name of its file. */
export async function pluginCommand(name: string, ...args: string[]): Promise<[string, ...string[]]> {
  built ??= build();
  await built;
  return [process.execPath, `${folder}dist/test/interop/plugins/${name}.js`, ...args];
}

/** The same for one that cannot find grpc-js. */
export async function pluginWithoutGrpcJs(name: string, ...args: string[]): Promise<[string, ...string[]]> {
  const [node, ...rest] = await pluginCommand(name, ...args);
  return [node, "--import", hide, ...rest];
}

/** File by file, as they lie in the tree: what the plugins import, and what that imports. */
async function build(): Promise<void> {
  const common = {
    absWorkingDir: root,
    outdir: `${folder}dist`,
    outbase: root,
    format: "esm",
    platform: "node",
    target: "node20.19",
    logLevel: "error",
  } as const;
  const plugins = readdirSync(folder).filter((name) => name.endsWith(".ts"));
  const entryPoints = plugins.map((name) => folder + name);
  const found = await compile({
    ...common,
    entryPoints,
    bundle: true,
    packages: "external",
    metafile: true,
    write: false,
  });
  await compile({ ...common, entryPoints: Object.keys(found.metafile.inputs) });
  writeFileSync(`${folder}dist/package.json`, '{ "type": "module" }\n');
}
