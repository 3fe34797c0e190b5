import { spawn } from "node:child_process";
import { chmodSync, existsSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import Module from "node:module";
import { constants } from "node:os";
import { basename, dirname, extname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { Script } from "node:vm";
import { CommandError } from "../fail.js";
import { writeWhole } from "../write-file.js";
import { compiledSize, MADE_BY, pack, RECORD, starter } from "./starter.js";

export const summary = "make a plugin start in half the time: keep what V8 compiles of it";

export const help = `goplug precompile PLUGIN.cjs [--out STARTER.cjs] -- HOST [ARGUMENTS]

Makes a file to start in place of a plugin, and beside it one with the plugin's source and the code that V8 has compiled of it. What is
compiled is what runs while HOST runs, which has to start the plugin as the new file, and to end it in good order: a test that makes a
few calls. It is given GOPLUG_PRECOMPILE in its environment, and must not keep it from the plugin.

  --out FILE    the file to start. Default: PLUGIN.start.cjs, beside the plugin; the other one is called STARTER.bin

PLUGIN.cjs is a bundle in CommonJS without import() of what is outside of it:

  esbuild plugin.ts --bundle --platform=node --target=node20 --format=cjs --supported:dynamic-import=false --minify-whitespace --outfile=plugin.cjs

Another version of Node, or other flags for it, make
the code useless; the plugin is compiled as usual then, and works.
`;

/** Runs `goplug precompile`. Throws {@link CommandError}. */
export async function run(argv: readonly string[]): Promise<void> {
  const dashes = argv.indexOf("--");
  const [program, ...args] = dashes < 0 ? [] : argv.slice(dashes + 1);
  const { values, positionals } = parseArgs({
    args: argv.slice(0, dashes < 0 ? undefined : dashes),
    allowPositionals: true,
    options: { out: { type: "string" } },
  });
  const [plugin] = positionals;
  if (plugin === undefined || positionals.length > 1) throw new CommandError("one plugin's file at a time");
  if (program === undefined) throw new CommandError("what is to start the plugin comes after --");
  const out = resolve(values.out ?? `${withoutExtension(plugin)}.start.cjs`);
  const packed = `${withoutExtension(out)}.bin`;
  if ([out, packed].includes(resolve(plugin))) throw new CommandError(`${plugin} would be overwritten`);
  const source = sourceOf(plugin);
  if (existsSync(packed) && !existsSync(out)) throw new CommandError(`${packed} exists, and no ${out}`);
  writeWhole(out, starter(basename(plugin), basename(packed)), (old) => old.includes(MADE_BY));
  try {
    chmodSync(out, 0o755);
    write(packed, pack(source));
    await runHost(program, args, { ...process.env, [RECORD]: realpathSync(out) });
    if (compiledSize(readFileSync(packed)) === 0) {
      throw new CommandError(
        `${program} has started no plugin as ${out}, has kept ${RECORD} from it, or has killed it before it could end`,
      );
    }
  } catch (error) {
    for (const file of [out, packed]) rmSync(file, { force: true });
    throw error;
  }
}

/** The bytes of a script, without the line that names its interpreter. */
function sourceOf(plugin: string): Buffer {
  let text: string;
  try {
    text = readFileSync(plugin, "utf8").replace(/^#!.*/, "");
  } catch (error) {
    throw new CommandError(`cannot read ${plugin}: ${(error as Error).message}`);
  }
  try {
    new Script(Module.wrap(text));
  } catch (error) {
    throw new CommandError(
      `${plugin} is no script in CommonJS, as esbuild's --format=cjs makes it: ${(error as Error).message}`,
    );
  }
  if (/(?<![.\w$])import\(/.test(text)) {
    process.stderr.write(
      `goplug: import( stands in ${plugin}: if that is code, calls of it fail; esbuild's --supported:dynamic-import=false makes it require(\n`,
    );
  }
  return Buffer.from(text);
}

function write(path: string, data: string | Buffer): void {
  try {
    writeFileSync(path, data);
  } catch (error) {
    throw new CommandError(`cannot write ${path}: ${(error as Error).message}`);
  }
}

function runHost(program: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  return new Promise((resolve, reject) => {
    const host = spawn(program, args, { env, stdio: "inherit" });
    host.on("error", (error) => reject(new CommandError(`cannot start ${program}: ${error.message}`)));
    host.on("exit", (code, signal) => {
      if (code === 0) resolve();
      else if (signal === null) reject(new CommandError(`${program} ended with exit code ${code}`));
      else reject(new CommandError(`${program} was ended by ${signal} (${constants.signals[signal]})`));
    });
  });
}

function withoutExtension(path: string): string {
  return join(dirname(path), basename(path, extname(path)));
}
