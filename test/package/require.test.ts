// What a CommonJS program gets from the built package. In a process without tsx, which loads modules its own way.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

for (const entry of ["goplug", "goplug/yamux", "goplug/gob", "goplug/netrpc", "goplug/testing"]) {
  test(`require("${entry}") and import give the same things`, () => {
    const program = `
      const required = require("${entry}");
      import("${entry}").then((imported) => {
        const names = Object.keys(imported);
        console.log(names.length > 0, names.filter((name) => required[name] !== imported[name]).join());
      });`;
    const printed = execFileSync(process.execPath, ["--no-warnings", "-e", program], {
      cwd: root,
      encoding: "utf8",
    });
    assert.equal(printed, "true \n");
  });
}
