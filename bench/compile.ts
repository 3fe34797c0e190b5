// Programs as users run them: compiled, by plain node. tsx has threads and a heap of its own, which cost some rows half of their
// figures on one processor, and a third on two.
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build, type Plugin } from "esbuild";

/** Where it is code, and no text. */
const SOURCE_URL = /(?<!["'`])import\.meta\.url/g;

/** What is found beside a source is still found from the one file that holds it. */
const keepUrls: Plugin = {
  name: "keep-urls",
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, ({ path }) => ({
      contents: readFileSync(path, "utf8").replace(SOURCE_URL, JSON.stringify(pathToFileURL(path).href)),
      loader: "ts",
    }));
  },
};

/** Compiles a program of this folder, with all that it imports but packages, into one file beside it, which is the caller's to remove. */
export function compileFile(source: string): Promise<string> {
  return compile({ entryPoints: [source] }, source.replace(/\.ts$/, ".bundle.mjs"));
}

/** The same for a few lines, whose imports are those of a file of this folder. */
export function compileLines(contents: string, name: string): Promise<string> {
  const resolveDir = dirname(fileURLToPath(import.meta.url));
  return compile({ stdin: { contents, resolveDir, loader: "ts" } }, `${resolveDir}/${name}.bundle.mjs`);
}

async function compile(input: Parameters<typeof build>[0], outfile: string): Promise<string> {
  await build({
    ...input,
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20.19",
    packages: "external",
    plugins: [keepUrls],
    logLevel: "warning",
  });
  return outfile;
}
