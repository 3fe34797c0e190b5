// What is said of a process that Windows would not start: its own errors are ENOENT, EINVAL and UNKNOWN.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { explainSpawn } from "../../../src/process/explain-spawn.js";

const folder = mkdtempSync(join(tmpdir(), "goplug-spawn-"));
after(() => rmSync(folder, { recursive: true }));

function fileOf(name: string, content: string | Buffer): string {
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
}

/** The first bytes of a Windows program. */
function peHead(): Buffer {
  const head = Buffer.alloc(256);
  head.write("MZ");
  head.writeUInt32LE(128, 60);
  head.write("PE\0\0", 128, "latin1");
  head.writeUInt16LE(34404, 132);
  return head;
}

const explain = (file: string, code: string, cwd?: string) =>
  explainSpawn({ path: "plugin", file, cwd, platform: "win32" }, { code });

test("batch files and scripts are said to need a program of their own", () => {
  const batch = explain(fileOf("tsx.CMD", "@echo off\r\n"), "EINVAL");
  assert.equal(batch.code, "ERR_PLUGIN_NOT_EXECUTABLE");
  assert.match(
    batch.message,
    /^cannot start plugin plugin: .*tsx\.CMD is a batch file, and Node runs those in a shell/,
  );
  assert.match(batch.message, /\[process\.execPath, file\] \(EINVAL\)$/);
  for (const code of ["UNKNOWN", "EFTYPE"]) {
    const script = explain(fileOf("plugin.js", "#!/usr/bin/env node\n"), code);
    assert.equal(script.code, "ERR_PLUGIN_NOT_EXECUTABLE");
    assert.match(script.message, /plugin\.js is no Windows program: start the program that runs it instead/);
  }
});

test("a program for another system, and one without an extension, are said to be that", () => {
  const elf = explain(fileOf("plugin.exe", readFileSync(process.execPath).subarray(0, 4096)), "UNKNOWN");
  if (process.platform === "linux")
    assert.match(elf.message, /it is for another system \(ELF\) \(UNKNOWN\)$/);
  const bare = explain(fileOf("plugin", peHead()), "ENOENT");
  assert.match(bare.message, /plugin has no extension, such as \.exe \(ENOENT\)$/);
});

test("what is missing is said as on other systems", () => {
  const missing = explain(join(folder, "nothing.exe"), "ENOENT");
  assert.equal(missing.code, "ERR_PLUGIN_NOT_FOUND");
  assert.match(missing.message, /there is no file .*nothing\.exe \(ENOENT\)$/);
  const nowhere = explain(fileOf("good.exe", peHead()), "ENOENT", join(folder, "no-folder"));
  assert.match(nowhere.message, /there is no working directory .*no-folder \(ENOENT\)$/);
});
