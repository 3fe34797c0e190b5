// Compiles the TypeScript fixture plugins, which are started as plain `node`: a loader would cost each start a
// process of its own and a quarter of a second.
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const folder = fileURLToPath(new URL("plugins/", import.meta.url));
let built: Promise<unknown> | undefined;

/** The command line of a fixture plugin, by the name of its file. */
export async function pluginCommand(name: string, ...args: string[]): Promise<[string, ...string[]]> {
  built ??= build();
  await built;
  return [process.execPath, `${folder}dist/test/interop/plugins/${name}.js`, ...args];
}

async function build(): Promise<void> {
  const compiler = fileURLToPath(new URL("../../node_modules/typescript/bin/tsc", import.meta.url));
  await promisify(execFile)(process.execPath, [compiler, "-p", folder]);
  writeFileSync(`${folder}dist/package.json`, '{ "type": "module" }\n');
}
