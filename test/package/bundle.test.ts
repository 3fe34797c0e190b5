import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
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
  assert.ok(imported.includes("node:net"), "imports are found");
  assert.deepEqual(
    imported.filter((name) => !name.startsWith("node:") || name === "node:tls"),
    [],
  );
});
