// Whatever ends the host, as far as a program can see it, its plugins and their socket files go with it.
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { binary } from "../../interop/case.js";
import { isRunning, until } from "../../interop/support.js";
import { needs } from "../../support.js";

/** Runs a command as the first process of a pid namespace, which ends with this process. */
const container = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"];
const canContain = spawnSync(container[0]!, [...container.slice(1), "true"]).status === 0;
const inContainer = { skip: canContain ? false : "needs the right to make a pid namespace" };

interface Left {
  pid: number;
  socket?: string;
}

interface Host {
  readonly child: ChildProcess;
  /** Resolves when the plugins run. */
  readonly left: Promise<Left[]>;
  readonly end: Promise<readonly [code: number | null, signal: string | null]>;
}

function startHost(
  mode: string,
  plugins: number,
  { within = [], env }: { within?: readonly string[]; env?: NodeJS.ProcessEnv } = {},
): Host {
  const script = fileURLToPath(new URL("dying-host.ts", import.meta.url));
  const cmd = Array.from({ length: plugins }, () => binary("kv-netrpc"));
  const [command, ...args] = [...within, process.execPath, "--import", "tsx", script, mode, ...cmd];
  const child = spawn(command!, args, {
    stdio: ["pipe", "pipe", "ignore"],
    env: { ...process.env, ...env },
    // A host that survives its end fails the test, and stays no longer than it.
    timeout: 60_000,
    killSignal: "SIGKILL",
  });
  let printed = "";
  const left = new Promise<Left[]>((resolve, reject) => {
    child.stdout.on("data", (chunk: Buffer) => {
      printed += chunk;
      if (printed.endsWith("]\n")) resolve(JSON.parse(printed) as Left[]);
    });
    child.stdout.on("end", () => reject(new Error(`the host printed ${JSON.stringify(printed)}`)));
  });
  const end = once(child, "close") as Promise<[number | null, string | null]>;
  return { child, left, end };
}

/** Runs a host until it has died; `signal` is sent when its plugins run. */
async function host(
  mode: string,
  plugins: number,
  signal?: NodeJS.Signals,
): Promise<{ code: number | null; signal: string | null; left: Left[] }> {
  const { child, left: starting, end } = startHost(mode, plugins);
  const left = await starting;
  if (signal !== undefined) child.kill(signal);
  const [code, by] = await end;
  return { code, signal: by, left };
}

/** The children of a process whose command line holds a word (Linux only). */
function childrenOf(pid: number, word: string): number[] {
  return readdirSync(`/proc/${pid}/task`)
    .flatMap((task) => readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").trim().split(" "))
    .map(Number)
    .filter((child) => child > 0 && readFileSync(`/proc/${child}/cmdline`, "utf8").includes(word));
}

async function assertAllGone(left: readonly Left[]): Promise<void> {
  try {
    for (const { pid, socket } of left) {
      await until(`the end of plugin ${pid}`, () => !isRunning(pid));
      if (socket !== undefined) await until(`the removal of ${socket}`, () => !existsSync(socket));
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

  const signals = ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR2", "SIGALRM", "SIGABRT"] as const;
  for (const signal of signals) {
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

  test("has two copies of the library loaded, each with a plugin: SIGTERM still ends it, and both", async () => {
    const { child, left, end } = startHost("copies", 1);
    const plugins = [...(await left), ...childrenOf(child.pid!, "kv-netrpc").map((pid) => ({ pid }))];
    assert.equal(plugins.length, 3, "one of the other copy, and one twice in the list");
    child.kill("SIGTERM");
    assert.deepEqual(await end, [null, "SIGTERM"]);
    await assertAllGone(plugins);
  });

  test("exits in the moment in which it starts a plugin", async () => {
    // The plugin may have made its socket by then, which nobody has been told of.
    const folder = mkdtempSync(join(tmpdir(), "early-"));
    try {
      const { left, end } = startHost("early", 1, { env: { TMPDIR: folder } });
      await assertAllGone(await left);
      assert.deepEqual(await end, [7, null]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("is killed by SIGKILL: its plugins are ended all the same, by a watchdog that goes with them", async () => {
    const { child, left, end } = startHost("signal", 2);
    const plugins = await left;
    const watchdogs = childrenOf(child.pid!, "goplug-watchdog");
    assert.equal(watchdogs.length, 1, "one watchdog for all plugins");
    // What a terminal or a supervisor sends to everybody must not make the watchdog leave before the host.
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.kill(watchdogs[0]!, signal);
    child.kill("SIGKILL");
    assert.deepEqual(await end, [null, "SIGKILL"]);
    await assertAllGone(plugins);
    await until("the end of the watchdog", () => !isRunning(watchdogs[0]!));
  });

  for (const [mode, why] of [
    ["unwatched", "there is no watchdog"],
    ["outlived", "its plugins are to outlive it"],
  ] as const) {
    test(`is killed by SIGKILL, and ${why}: a Go plugin stays, and SIGTERM ends it`, async () => {
      const { signal, left } = await host(mode, 1, "SIGKILL");
      assert.equal(signal, "SIGKILL");
      const [{ pid, socket }] = left as [Left];
      await sleep(300);
      assert(isRunning(pid), "go-plugin has learned to end its orphans: docs/lifecycle.md says otherwise");
      process.kill(pid, "SIGTERM");
      await until("the end of the plugin", () => !isRunning(pid));
      rmSync(socket!, { force: true });
    });
  }

  for (const [what, mode, signal, outcome] of [
    ["a worker thread whose main thread calls process.exit", "worker-exit", undefined, [7, null]],
    ["a worker thread whose main thread throws", "worker-throw", undefined, [1, null]],
    ["a worker thread of a process that gets SIGTERM", "worker-signal", "SIGTERM", [null, "SIGTERM"]],
  ] as const) {
    test(`was ${what}: no plugin is left, no socket file`, async () => {
      const { code, signal: by, left } = await host(mode, 2, signal);
      assert.deepEqual([code, by], outcome);
      await assertAllGone(left);
    });
  }

  test("was a worker thread that is terminated, in a process that lives on: no plugin is left", async () => {
    const { child, left, end } = startHost("worker-terminate", 2);
    await assertAllGone(await left);
    assert.deepEqual([child.exitCode, child.signalCode], [null, null]);
    child.stdin!.end();
    assert.deepEqual(await end, [0, null]);
  });

  test("is the first process of a container: SIGTERM ends it, too", inContainer, async () => {
    const { child, left, end } = startHost("signal", 1, { within: container });
    // Pids are the container's own; all that is in it goes with its first process.
    const [{ socket }] = (await left) as [Left];
    const [first] = childrenOf(child.pid!, "dying-host");
    process.kill(first!, "SIGTERM");
    assert.deepEqual(await end, [128 + 15, null]);
    assert.equal(existsSync(socket!), false);
  });
});
