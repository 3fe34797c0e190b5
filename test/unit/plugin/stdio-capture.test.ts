import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { startChild } from "./run-child.js";

const hold = (how: string, env: NodeJS.ProcessEnv = {}) => startChild("hold.ts", [how], env).done;

describe("output of a process that holds its stdout back", () => {
  test("comes after what is written to the descriptor, and stderr is not held", async () => {
    const { stdout, stderr, code } = await hold("release");
    assert.deepEqual(
      { stdout, stderr, code },
      { stdout: "HANDSHAKE\none\ntwo\n", stderr: "early error\n", code: 0 },
    );
  });

  test("is not lost when the process exits, or dies of an exception, before the handshake", async () => {
    const exit = await hold("exit");
    assert.deepEqual([exit.stdout, exit.code], ["HANDSHAKE\none\ntwo\n", 3]);
    const thrown = await hold("throw");
    assert.deepEqual([thrown.stdout, thrown.code], ["HANDSHAKE\none\ntwo\n", 1]);
    assert.match(thrown.stderr, /went wrong/);
  });

  test("is held at import only where a host has set its variables", async () => {
    assert.equal((await hold("if-plugin")).stdout, "one\ntwo\nHANDSHAKE\n");
    assert.equal((await hold("if-plugin", { PLUGIN_MIN_PORT: "10000" })).stdout, "HANDSHAKE\none\ntwo\n");
  });
});

// Whatever a plugin starts inherits its host's variables.
describe("output of a process that has a host's variables and is no plugin", () => {
  const variables = { PLUGIN_MIN_PORT: "10000" };
  const all = "one\ntwo\nHANDSHAKE\n";

  test("goes on when it starts a plugin of its own", async () => {
    assert.equal((await hold("host", variables)).stdout, all);
  });

  test("goes on after a while without serving", async () => {
    assert.equal((await hold("undecided", variables)).stdout, all);
  });

  test("is not held at all when it goes to a file", () => {
    const folder = mkdtempSync(join(tmpdir(), "goplug-hold-"));
    const file = openSync(join(folder, "out"), "w");
    const script = fileURLToPath(new URL("children/hold.ts", import.meta.url));
    spawnSync(process.execPath, ["--import", "tsx", script, "if-plugin"], {
      stdio: ["ignore", file, "ignore"],
      env: { ...process.env, ...variables },
      timeout: 30_000,
    });
    closeSync(file);
    assert.equal(readFileSync(join(folder, "out"), "utf8"), all);
    rmSync(folder, { recursive: true });
  });
});

describe("output after the handshake", () => {
  test("goes to the attached sink, with what was held back before it", async () => {
    const { stdout, stderr } = await hold("sink");
    assert.equal(stdout, "HANDSHAKE\n");
    assert.equal(stderr, `early error\n${JSON.stringify("one\ntwo\nthree\n")}`);
  });

  test("goes to the real stderr at exit if no host took it, later exit listeners' too", async () => {
    const { stdout, stderr } = await hold("live");
    assert.equal(stdout, "HANDSHAKE\n");
    const [notice, ...lines] = stderr
      .split("\n")
      .sort((a, b) => Number(b.startsWith("{")) - Number(a.startsWith("{")));
    assert.match(notice!, /"the plugin has ended before its host took this output".*"stderr":11,"stdout":14/);
    assert.deepEqual(
      lines.sort(),
      ["early error", "log line", "one", "two", "three", "late error", "last words", ""].sort(),
    );
  });
});
