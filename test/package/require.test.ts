// What a CommonJS program gets from the built package.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";

const require = createRequire(import.meta.url);

for (const entry of ["goplug", "goplug/yamux", "goplug/gob", "goplug/netrpc", "goplug/testing"]) {
  test(`require("${entry}") and import give the same things`, async () => {
    const required = require(entry) as Record<string, unknown>;
    const imported = (await import(entry)) as Record<string, unknown>;
    const names = Object.keys(imported);
    assert(names.length > 0);
    for (const name of names) assert.equal(required[name], imported[name], name);
  });
}
