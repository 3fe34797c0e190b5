import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("../..", import.meta.url));

test("a bundler that packs goplug has no warnings for its user", async () => {
  const { warnings } = await build({
    stdin: {
      contents: 'import "goplug/capture"; export * from "goplug"; export * as y from "goplug/yamux";',
      resolveDir: root,
    },
    bundle: true,
    format: "esm",
    platform: "node",
    write: false,
    logLevel: "silent",
  });
  assert.deepEqual(warnings, []);
});
