import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Client, type ClientConfig, nullLogger } from "../../../src/index.js";
import { isAlive } from "../../../src/process/identity.js";
import { PidRunner } from "../../../src/process/pid-runner.js";
import { checkPid, signalProcess } from "../../../src/process/signal-process.js";
import { greeter, handshakeConfig } from "../../interop/support.js";

// Never the real one in this file: should a check be missing, the machine must not pay for it.
const signalled: unknown[][] = [];
process.kill = (...args: unknown[]): true => {
  signalled.push(args);
  return true;
};

/** To the system a group, every process, or a number that it makes one of. */
const noProcesses = [
  0,
  -0,
  -1,
  -2,
  1.5,
  0.5,
  NaN,
  Infinity,
  -Infinity,
  2 ** 31,
  2 ** 53,
  null,
  "1",
  5n,
  {},
  true,
];

describe("numbers that are no process id", () => {
  for (const pid of noProcesses) {
    const shown = typeof pid === "bigint" ? `${pid}n` : `${JSON.stringify(pid)} (${String(pid)})`;

    test(`${shown} is refused as what to reattach to`, () => {
      const reattach = { address: { network: "unix", address: "/s" }, pid };
      const config = { handshakeConfig, plugins: { greeter }, logger: nullLogger, reattach };
      assert.throws(() => new Client(config as unknown as ClientConfig), {
        code: "ERR_OPTION",
        option: "reattach.pid",
      });
    });

    test(`${shown} is never signalled`, async () => {
      const target = { pid: pid as number, network: "unix", address: "/s" };
      await assert.rejects(PidRunner.attach(target), { code: "ERR_OPTION" });
      assert.throws(() => signalProcess(pid as number, "SIGKILL"), { code: "ERR_OPTION" });
      assert.equal(await isAlive(pid as number), false);
      assert.deepEqual(signalled, []);
    });
  }
});

test("a process id is signalled as it is", () => {
  for (const pid of [1, 4_194_304, 2 ** 31 - 1]) {
    assert.equal(checkPid("pid", pid), pid);
    signalProcess(pid, 0);
    assert.deepEqual(signalled.splice(0), [[pid, 0]]);
  }
});

test("nothing else in goplug signals by process id", () => {
  const src = fileURLToPath(new URL("../../../src", import.meta.url));
  const callers = readdirSync(src, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .filter((name) => /\bprocess\s*\.\s*kill\s*\(\s*(?!\))/.test(readFileSync(join(src, name), "utf8")));
  assert.deepEqual(callers, ["process/signal-process.ts"]);
});
