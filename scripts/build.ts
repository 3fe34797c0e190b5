// Makes dist: the declarations (tsc), the code in few files (a plugin's start pays for each file that it opens), and a
// face for `require`.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { transform } from "esbuild";
import { type GetModuleInfo, type Plugin, rollup } from "rollup";

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
const source = (path: string): string => resolve(`src/${path}.ts`);

/** What the services' code uses of `@bufbuild/protobuf/wire`; its index has things beside it that need descriptors. */
const wireIndex = /wire\/index\.js$/;
const wireFormat = "wire/binary-encoding.js";

/** Strips types. Packages stay imports, but for protobuf's wire format and descriptors. */
const typescript: Plugin = {
  name: "typescript",
  resolveId(id, from) {
    if (id.startsWith(".") && from !== undefined)
      return resolve(dirname(from), id.replace(/\.js$/, from.endsWith(".ts") ? ".ts" : ".js"));
    // A bundler that puts all into one file sets up what is imported at need alone when that is asked for, and what
    // others have of the same package as well: esbuild then forgets some of it where the package has index files. A
    // copy of our own is nobody else's.
    if (id.startsWith("@bufbuild/"))
      return fileURLToPath(import.meta.resolve(id)).replace(wireIndex, wireFormat);
    return id.startsWith("/") ? null : { id, external: true };
  },
  async load(id) {
    if (!id.endsWith(".ts")) return { code: readFileSync(id, "utf8"), moduleSideEffects: false };
    const { code } = await transform(readFileSync(id, "utf8"), {
      loader: "ts",
      target: "node20.19",
      sourcefile: id,
    });
    return { code, moduleSideEffects: id === source("plugin/capture-entry") };
  },
};

/** What is loaded with a module. */
function loadedWith(path: string, infoOf: GetModuleInfo): ReadonlySet<string> {
  const found = new Set<string>();
  const visit = (id: string): void => {
    if (found.has(id)) return;
    found.add(id);
    infoOf(id)?.importedIds.forEach(visit);
  };
  visit(source(path));
  return found;
}

/** What `goplug` loads with `serve`, and what `serve` loads once it knows the protocol. */
const plugin = ["plugin/serve", "definition/protobuf-plugin"];
const netRpcPlugin = "plugin/start-net-rpc";
const grpcPlugin = "plugin/grpc-server";
const grpcHost = ["host/grpc-client", "grpc/own-connection"];

/**
 * The file that a module goes into: one for each part that is published on its own (`index` for `goplug` itself), one for
 * what those share, one for `serve`, one for a plugin's net/rpc, one for gRPC and one for what a host needs of it alone.
 * What else is loaded at need stays by itself.
 *
 * In a bundle a file's imports run with it: so nothing that a plugin of one protocol loads lies beside what imports the
 * other one.
 */
function chunkOf(id: string, infoOf: GetModuleInfo): string | undefined {
  const isWith = (...paths: string[]): boolean => paths.some((path) => loadedWith(path, infoOf).has(id));
  const [, folder = ""] = /^src\/(?:(\w+)\/)?/.exec(id.slice(process.cwd().length + 1)) ?? [];
  const part = ["gob", "yamux", "netrpc"].includes(folder) ? folder : undefined;
  const parts = ["gob/index", "yamux/index", "netrpc/index"];
  if (id === source("index")) return "index";
  if (entries.some((entry) => id === source(entry))) return part;
  if (isWith("plugin/capture-entry")) return "shared";
  if (isWith(...parts, netRpcPlugin) && isWith(...plugin, grpcPlugin)) return "shared";
  if (part !== undefined) return part;
  if (isWith(...parts)) return "shared";
  if (isWith(netRpcPlugin)) return "net-rpc-plugin";
  if (isWith("index")) {
    return isWith(...plugin, grpcPlugin, ...grpcHost, "tls/plugin-options") ? "serve" : "index";
  }
  if (isWith(grpcPlugin) || (isWith("grpc/plugin-muxer") && isWith(...grpcHost))) return "grpc";
  return isWith(...grpcHost) ? "grpc-host" : undefined;
}

/**
 * Takes what is used of Node's modules by `process.getBuiltinModule`: for an import Node makes a module of each, and reads all
 * of its properties, which has it load what nobody asks for. It saves a start 1 to 2 ms. Each name by itself, so that a
 * bundler can leave out those that are not used.
 */
const builtins: Plugin = {
  name: "builtins",
  renderChunk(code) {
    const whole = /^import (?:(\w+)|\{ ([^}]*) \}) from '(node:[\w/]+)';$/gm;
    const text = code.replace(whole, (_, all: string | undefined, names = "", module: string) => {
      if (all !== undefined) return `const ${all} = /* @__PURE__ */ process.getBuiltinModule('${module}');`;
      return (names as string)
        .split(", ")
        .map((name) => name.split(" as "))
        .map(([name, local = name]) => `const ${local} = /* @__PURE__ */ ofBuiltin('${module}', '${name}');`)
        .join("\n");
    });
    const left = /^(?:import|export) .*'node:.*$/m.exec(text)?.[0];
    if (left !== undefined) throw new Error(`a builtin module is imported in another form: ${left}`);
    const helper = "const ofBuiltin = (module, name) => process.getBuiltinModule(module)[name];\n";
    return {
      code: text.includes("ofBuiltin(") ? text.replace(/^(?!import |\/\*!|#!)/m, helper) : text,
      map: null,
    };
  },
};

const bundle = await rollup({
  // The command beside them, which nothing imports.
  input: Object.fromEntries([...entries, "cli/main"].map((entry) => [entry, source(entry)])),
  plugins: [typescript, builtins],
  onwarn({ code, message }) {
    // What TypeScript has left in protobuf's own files.
    if (code !== "THIS_IS_UNDEFINED") throw new Error(message);
  },
});
await bundle.write({
  dir: "dist",
  chunkFileNames: "chunks/[name]-[hash].js",
  manualChunks: (id, { getModuleInfo }) => chunkOf(id, getModuleInfo),
  onlyExplicitManualChunks: true,
  // Repeating a chunk's imports in what uses it would load nothing sooner here, and bundlers would tell each user that
  // package.json says that they do nothing.
  hoistTransitiveImports: false,
  minifyInternalExports: false,
  banner: ({ moduleIds }) =>
    moduleIds.some((id) => id.includes("@bufbuild"))
      ? "/*! With parts of @bufbuild/protobuf, Copyright Buf Technologies, Inc., Apache-2.0 AND BSD-3-Clause */"
      : "",
});
await bundle.close();

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
