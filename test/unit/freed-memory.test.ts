import assert from "node:assert/strict";
import { test } from "node:test";
import { keepFreedMemory } from "../../src/freed-memory.js";

test("the block that glibc learns from takes no memory, and is taken once", () => {
  const { rss, arrayBuffers } = process.memoryUsage();
  for (let i = 0; i < 100; i++) keepFreedMemory(1024 * 1024);
  const after = process.memoryUsage();
  assert.ok(after.rss - rss < 16 * 1024 * 1024, `${after.rss - rss} bytes`);
  assert.ok(
    after.arrayBuffers - arrayBuffers <= 32 * 1024 * 1024,
    `${after.arrayBuffers - arrayBuffers} bytes`,
  );
});
