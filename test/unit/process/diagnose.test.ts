import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { diagnoseExecutable, executableKind } from "../../../src/process/diagnose.js";

test("executableKind reads this very Node", () => {
  const kind = executableKind(readFileSync(process.execPath).subarray(0, 4096));
  assert.equal(kind?.format, process.platform === "darwin" ? "MachO" : "ELF");
  assert.equal(kind?.machine, process.arch === "x64" ? "amd64" : process.arch);
});

test("executableKind by first bytes", () => {
  const pe = Buffer.alloc(128);
  pe.write("MZ");
  pe.writeUInt32LE(64, 60);
  pe.write("PE", 64);
  pe.writeUInt16LE(0xaa64, 68);
  assert.deepEqual(executableKind(pe), { format: "PE", machine: "arm64" });
  assert.deepEqual(executableKind(Buffer.from("#!/usr/bin/env python3\nprint()")), {
    format: "script",
    machine: "/usr/bin/env python3",
  });
  assert.equal(executableKind(Buffer.from("plain text")), undefined);
  assert.equal(executableKind(Buffer.from("MZ")), undefined);
  assert.equal(executableKind(Buffer.alloc(0)), undefined);
});

test("notes never fail", async () => {
  assert.match(await diagnoseExecutable("/no/such/file"), /not compiled for this architecture/);
  assert.match(await diagnoseExecutable(process.execPath), /Mode: 0\d+[\s\S]*architecture: /);
});
