// Whatever ends the host, as far as a program can see it, its plugins and their socket files go with it.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, rmSync } from "node:fs";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { binary } from "../../interop/case.js";
import { isRunning, until } from "../../interop/support.js";
import { needs } from "../../support.js";

interface Left {
  pid: number;
  socket?: string;
}

/** Runs a host until it has died; `signal` is sent when its plugins run. */
async function host(
  mode: string,
  plugins: number,
  signal?: NodeJS.Signals,
): Promise<{ code: number | null; signal: string | null; left: Left[] }> {
  const script = fileURLToPath(new URL("dying-host.ts", import.meta.url));
  const cmd = Array.from({ length: plugins }, () => binary("kv-netrpc"));
  const child = spawn(process.execPath, ["--import", "tsx", script, mode, ...cmd], {
    stdio: ["ignore", "pipe", "ignore"],
    // A host that survives its end fails the test, and stays no longer than it.
    timeout: 20_000,
    killSignal: "SIGKILL",
  });
  let printed = "";
  child.stdout.on("data", (chunk: Buffer) => {
    printed += chunk;
    if (signal !== undefined && printed.endsWith("]\n")) child.kill(signal);
  });
  const [code, by] = (await once(child, "close")) as [number | null, string | null];
  return { code, signal: by, left: JSON.parse(printed) as Left[] };
}

async function assertAllGone(left: readonly Left[]): Promise<void> {
  try {
    for (const { pid, socket } of left) {
      await until(`the end of plugin ${pid}`, () => !isRunning(pid));
      if (socket !== undefined) assert.equal(existsSync(socket), false, `socket ${socket} is left`);
    }
  } finally {
    for (const { pid } of left) if (isRunning(pid)) process.kill(pid, "SIGKILL");
  }
}

describe("the host", { ...needs("kv-netrpc"), concurrency: 2 }, () => {
  for (const [what, mode, code] of [
    ["calls process.exit in mid-call", "exit", 7],
    ["dies of an uncaught exception in mid-call", "throw", 1],
    ["dies of an unhandled rejection in mid-call", "reject", 1],
  ] as const) {
    test(`${what}: no plugin is left, no socket file`, async () => {
      const outcome = await host(mode, 2);
      assert.deepEqual([outcome.code, outcome.signal], [code, null]);
      assert.equal(outcome.left.length, 2);
      await assertAllGone(outcome.left);
    });
  }

  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
    test(`dies of ${signal}: no plugin is left, and the signal is still the reason`, async () => {
      const outcome = await host("signal", 1, signal);
      assert.deepEqual([outcome.code, outcome.signal], [null, signal]);
      await assertAllGone(outcome.left);
    });
  }

  test("handles SIGTERM itself: its handler decides", async () => {
    const outcome = await host("handler", 1, "SIGTERM");
    assert.deepEqual([outcome.code, outcome.signal], [8, null]);
    await assertAllGone(outcome.left);
  });

  for (const order of ["hook-before", "hook-after"] as const) {
    test(`has the package signal-exit loaded (${order}): SIGTERM still ends it and its plugins`, async () => {
      const outcome = await host(order, 1, "SIGTERM");
      assert.deepEqual([outcome.code, outcome.signal], [null, "SIGTERM"]);
      await assertAllGone(outcome.left);
    });
  }

  test("exits in the moment in which it starts a plugin", async () => {
    const outcome = await host("early", 1);
    assert.equal(outcome.code, 7);
    await assertAllGone(outcome.left);
  });

  // Nobody sees a SIGKILL. A TypeScript plugin ends itself then (test/faults/plugin/orphan.test.ts); go-plugin's stay.
  test("dies of SIGKILL: a Go plugin stays, and SIGTERM ends it", async () => {
    const { signal, left } = await host("signal", 1, "SIGKILL");
    assert.equal(signal, "SIGKILL");
    const [{ pid, socket }] = left as [Left];
    await sleep(300);
    assert(isRunning(pid), "go-plugin has learned to end its orphans: docs/lifecycle.md says otherwise");
    process.kill(pid, "SIGTERM");
    await until("the end of the plugin", () => !isRunning(pid));
    rmSync(socket!, { force: true });
  });
});
