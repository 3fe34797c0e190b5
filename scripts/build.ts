// Makes dist: the declarations (tsc), the code in as few files as possible (a plugin's start pays for each file that it
// opens), and a face for `require`.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));

/** What package.json exports, as paths below src and dist. */
const entries = [
  "index",
  "yamux/index",
  "gob/index",
  "netrpc/index",
  "testing/index",
  "plugin/capture-entry",
];

rmSync("dist", { recursive: true, force: true });
execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json"], {
  stdio: "inherit",
});
await build({
  // The command beside them, which nothing imports.
  entryPoints: [...entries, "cli/main"].map((entry) => `src/${entry}.ts`),
  outdir: "dist",
  outbase: "src",
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20.19",
  packages: "external",
  chunkNames: "chunks/[name]-[hash]",
  logLevel: "warning",
});

// esbuild repeats a chunk's imports as bare ones in what uses it. package.json says that they do nothing, and bundlers would tell
// each user so at every one of them.
for (const path of readdirSync("dist", { recursive: true, encoding: "utf8" })) {
  if (!path.endsWith(".js")) continue;
  const text = readFileSync(`dist/${path}`, "utf8");
  writeFileSync(`dist/${path}`, text.replace(/^import "\.{1,2}\/[^"]*";\n/gm, ""));
}

// Node has require() load ECMAScript modules since 20.19, but TypeScript takes what `require` reaches for CommonJS only if its
// name says so: each entry gets a .cjs that hands the one module on, and every declaration a twin whose imports are twins.
for (const entry of entries) {
  const name = entry.slice(entry.lastIndexOf("/") + 1);
  writeFileSync(`dist/${entry}.cjs`, `"use strict";\nmodule.exports = require("./${name}.js");\n`);
}
for (const path of readdirSync("dist", { recursive: true, encoding: "utf8" })) {
  if (!path.endsWith(".d.ts")) continue;
  const given = readFileSync(`dist/${path}`, "utf8");
  // For those who do without the optional peer its types are any, and no error of a check of libraries (skipLibCheck: false).
  // The compiler writes some of its own imports by the source's name.
  const text = given
    .replace(/^import .* from "@grpc\/grpc-js";$/gm, "// @ts-ignore\n$&")
    .replace(/(import\("\.{1,2}\/[^"]*)\.ts"/g, '$1.js"');
  writeFileSync(`dist/${path}`, text);
  const twin = text.replace(/((?:from |import\()"\.{1,2}\/[^"]*)\.js"/g, '$1.cjs"');
  writeFileSync(`dist/${path.slice(0, -".ts".length)}.cts`, twin);
}
