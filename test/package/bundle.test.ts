import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type BuildOptions, type BuildResult, build } from "esbuild";

const root = fileURLToPath(new URL("../..", import.meta.url));

function bundle(contents: string, options: BuildOptions = {}): Promise<BuildResult<{ write: false }>> {
  return build({
    ...options,
    stdin: { contents, resolveDir: root },
    bundle: true,
    format: "esm",
    platform: "node",
    write: false,
    logLevel: "silent",
  });
}

test("a bundler that packs goplug has no warnings for its user", async () => {
  const { warnings } = await bundle(
    'import "goplug/capture"; export * from "goplug"; export * as y from "goplug/yamux";',
  );
  assert.deepEqual(warnings, []);
});

test("goplug in a single file does not need what it would not have loaded", async () => {
  const { outputFiles } = await bundle('export * from "goplug";', {
    external: ["@grpc/grpc-js"],
  });
  const text = outputFiles[0]!.text;
  const imported = [...text.matchAll(/^import .*"([^"]+)";$/gm)].map(([, name]) => name!);
  assert.deepEqual(imported, []);
  const builtins = [...text.matchAll(/= \/\* @__PURE__ \*\/ \w+\("(node:[^"]+)", "\w+"\);$/gm)].map(
    ([, name]) => name!,
  );
  assert.ok(builtins.includes("node:net"), "what is loaded at once is found");
  assert.ok(!builtins.includes("node:tls"));
});

test("a plugin in a single file loads no module of Node's that only hosts need", async () => {
  const { outputFiles } = await bundle(
    'import { grpcPlugin, serve } from "goplug"; grpcPlugin({}); serve({});',
    {
      external: ["@grpc/grpc-js"],
    },
  );
  assert.match(outputFiles[0]!.text, /"node:net", "createServer"/);
  assert.doesNotMatch(outputFiles[0]!.text, /"node:child_process", /);
});

test("a gRPC plugin in a single file runs nothing of net/rpc when it starts, a net/rpc plugin nothing of gRPC", async () => {
  const startsWith = async (contents: string): Promise<string[]> => {
    const { outputFiles } = await bundle(contents, { external: ["@grpc/grpc-js"] });
    // esbuild's calls of what a file holds; those within files are indented.
    return [...outputFiles[0]!.text.matchAll(/^init_(\w+)\(\);$/gm)].map(([, name]) => name!);
  };
  const grpc = await startsWith('import { grpcPlugin, serve } from "goplug"; grpcPlugin({}); serve({});');
  assert.ok(grpc.some((name) => name.startsWith("serve")));
  assert.deepEqual(
    grpc.filter((name) => /gob|netrpc|net_rpc|yamux/.test(name)),
    [],
  );
  const netRpc = await startsWith(
    'import { gob, netRpcPlugin, serve } from "goplug"; netRpcPlugin({ A: [gob.any, gob.any] }); serve({});',
  );
  assert.ok(netRpc.some((name) => name.startsWith("gob")));
  assert.deepEqual(
    netRpc.filter((name) => /^grpc/.test(name)),
    [],
  );
});

test("a host of net/rpc in a single file knows go-plugin's own error", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "bundle-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "host.mjs");
  const { outputFiles } = await bundle(
    `import { Client, gob } from "goplug";
    console.log(typeof Client, gob.registry.schema("*plugin.BasicError") !== undefined);`,
    { external: ["@grpc/grpc-js"] },
  );
  writeFileSync(file, outputFiles[0]!.contents);
  const { stdout } = await promisify(execFile)(process.execPath, [file]);
  assert.equal(stdout, "function true\n");
});

test("what a plugin uses of protobuf-es works in a single file with goplug", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "bundle-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "plugin.mjs");
  const { outputFiles } = await bundle(
    `import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
    import { BinaryWriter } from "@bufbuild/protobuf/wire";
    import { protobufPlugin, serve } from "goplug";
    import { GetRequestSchema, KV } from "./test/interop/gen/es/kv_pb.js";
    protobufPlugin(KV, { create, fromBinary, toBinary });
    const written = toBinary(GetRequestSchema, create(GetRequestSchema, { key: "k" }));
    console.log(typeof serve, written.length, new BinaryWriter().string("k").finish().length);`,
    { external: ["@grpc/grpc-js"] },
  );
  writeFileSync(file, outputFiles[0]!.contents);
  const { stdout } = await promisify(execFile)(process.execPath, [file]);
  assert.equal(stdout, "function 3 2\n");
});
