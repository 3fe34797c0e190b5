import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { serveMux } from "../../../src/plugin/serve-mux.js";

const program = fileURLToPath(new URL("serve-mux.program.ts", import.meta.url));

function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      ["--import", "tsx", program, ...args],
      { timeout: 60_000 },
      (_error, stdout, stderr) => resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

test("the one argument picks the plugin", async () => {
  assert.deepEqual(await run("second"), { code: 0, stdout: "serving second\n", stderr: "" });
});

test("none and two arguments are explained, with exit code 1 (server_mux.go)", async () => {
  const refused = {
    code: 1,
    stdout: "",
    stderr: "Invoked improperly. This is an internal command that shouldn't\nbe manually invoked.\n",
  };
  const [none, two] = await Promise.all([run(), run("first", "second")]);
  assert.deepEqual(none, refused);
  assert.deepEqual(two, refused);
});

test("an unknown name is named, with exit code 1; what every object has is unknown too", async () => {
  for (const name of ["third", "constructor"]) {
    assert.deepEqual(await run(name), { code: 1, stdout: "", stderr: `Unknown plugin: ${name}\n` });
  }
});

test("resolves when the picked plugin has ended, and passes its failure on", async () => {
  const calls: string[] = [];
  const failure = new Error("cannot serve");
  await serveMux({ a: async () => void calls.push("a"), b: () => void calls.push("b") }, ["a"]);
  assert.deepEqual(calls, ["a"]);
  await assert.rejects(serveMux({ a: () => Promise.reject(failure) }, ["a"]), failure);
});
