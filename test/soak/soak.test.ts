// Many lives of a plugin leave nothing in the host: no process, no descriptor, no file, no timer, no memory.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { binary } from "../interop/case.js";
import { needs } from "../support.js";

interface State {
  children: number;
  descriptors: number;
  files: number;
  heap: number;
  external: number;
  listeners: number[];
  resources: Record<string, number>;
}

const skip = process.platform === "linux" ? needs("kv-netrpc").skip : "reads /proc";

/** Runs 20 cycles to warm up and then the given number, and compares what there was before and after. */
async function soak(way: string, cycles: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "goplug-soak-"));
  try {
    const script = fileURLToPath(new URL("cycles.ts", import.meta.url));
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [
      ...["--expose-gc", "--import", "tsx", script],
      ...[way, String(cycles), binary("kv-netrpc"), folder],
    ]);
    // Such as MaxListenersExceededWarning.
    assert.equal(stderr, "");
    const { calls, before, after } = JSON.parse(stdout) as { calls: number; before: State; after: State };
    assert.equal(calls, 20 + cycles);
    assert.equal(after.children, before.children);
    assert.equal(after.descriptors, before.descriptors);
    assert.equal(after.files, 0);
    assert.deepEqual(after.listeners, before.listeners);
    assert.deepEqual(after.resources, before.resources);
    const grown = (after.heap - before.heap) / (1 << 20);
    assert(grown < 10, `the heap has grown by ${grown.toFixed(1)} MiB`);
    const outside = (after.external - before.external) / (1 << 20);
    assert(outside < 10, `buffers have grown by ${outside.toFixed(1)} MiB`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const options = { skip, timeout: 120_000 };

test("500 times start, call, kill", options, () => soak("kill", 500));
test("100 times start, call, and the plugin dies in mid-call", options, () => soak("die", 100));
test("100 times a start that the plugin refuses", options, () => soak("refuse", 100));
test("100 times a start that is called off", options, () => soak("abort", 100));
