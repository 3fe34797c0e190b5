import assert from "node:assert/strict";
import { test } from "node:test";
import { joinEnv, withoutEnv } from "../../../src/process/env.js";

test("the later environment wins, and an undefined variable takes the earlier one away", () => {
  const joined = joinEnv(
    [
      { PATH: "a", HOME: "h", GONE: "1" },
      { PATH: "b", GONE: undefined },
    ],
    "linux",
  );
  assert.deepEqual(joined, { HOME: "h", PATH: "b", GONE: undefined });
});

test("on Windows names that differ in case are one variable, under its last name", () => {
  const environments = [{ Path: "host", SystemRoot: "C:\\Windows" }, { PATH: "own" }, { path: "last" }];
  assert.deepEqual(joinEnv(environments, "win32"), { SystemRoot: "C:\\Windows", path: "last" });
  assert.deepEqual(joinEnv(environments, "darwin"), {
    Path: "host",
    SystemRoot: "C:\\Windows",
    PATH: "own",
    path: "last",
  });
});

test("what is taken out goes by the system's idea of a name", () => {
  const environment = { plugin_min_port: "1", PLUGIN_MAX_PORT: "2", OTHER: "3" };
  const names = ["PLUGIN_MIN_PORT", "PLUGIN_MAX_PORT"];
  assert.deepEqual(withoutEnv(environment, names, "win32"), { OTHER: "3" });
  assert.deepEqual(withoutEnv(environment, names, "linux"), { plugin_min_port: "1", OTHER: "3" });
});
