import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const root = fileURLToPath(new URL("../..", import.meta.url));

test("examples/telemetry: one trace goes through host and plugin", async () => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--import", "tsx", "examples/telemetry/host.ts"],
    { cwd: root, env: { ...process.env, GOPLUG_LOG: "error" } },
  );
  assert.equal(stdout, "/proto.KV/Get: the plugin's span is in the same trace\n");
});
