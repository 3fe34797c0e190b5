// What Windows alone has: its processes, its environment, its programs. The list is empty elsewhere.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Client, nullLogger, type ReattachConfig } from "../../src/index.js";
import type { Case } from "./case.js";
import { greeter, handshakeConfig, isRunning, kv, until, withClient } from "./support.js";

const needs = ["kv-netrpc", "greeter-netrpc"];

/** Runs a host of test/faults/host, and gives it with the line that it prints. */
async function startHost(script: string, ...args: string[]): Promise<{ host: ChildProcess; line: string }> {
  const file = fileURLToPath(new URL(`../faults/host/${script}`, import.meta.url));
  const host = spawn(process.execPath, ["--import", "tsx", file, ...args], {
    stdio: ["pipe", "pipe", "inherit"],
    timeout: 60_000,
    killSignal: "SIGKILL",
  });
  let printed = "";
  host.stdout.on("data", (chunk: Buffer) => {
    printed += chunk;
  });
  await until("the host's line", () => /[\]}]\s*$/.test(printed));
  return { host, line: printed };
}

const list: Case[] = [
  {
    name: "ts->go netrpc Windows: a host that is terminated takes its plugins along",
    needs,
    async run({ bin }) {
      const { host, line } = await startHost("dying-host.ts", "waits", bin("kv-netrpc"), bin("kv-netrpc"));
      const plugins = JSON.parse(line) as { pid: number }[];
      assert.deepEqual(
        plugins.map(({ pid }) => isRunning(pid)),
        [true, true],
      );
      host.kill("SIGKILL");
      await until("the end of the plugins", () => plugins.every(({ pid }) => !isRunning(pid)));
    },
  },
  {
    name: "ts->go netrpc Windows: killWithHost: false outlives its host, and another one attaches to it",
    needs,
    async run({ bin }) {
      const { host, line } = await startHost("outliving-host.ts", bin("kv-netrpc"));
      const { config, other } = JSON.parse(line) as { config: ReattachConfig; other: number };
      await until("the end of the host", () => host.exitCode !== null);
      await until("the end of the ordinary plugin", () => !isRunning(other));
      assert.equal(isRunning(config.pid!), true);
      const client = new Client({ handshakeConfig, plugins: { kv }, reattach: config, logger: nullLogger });
      assert.equal(await (await client.dispense("kv")).Pid(null), config.pid);
      await client.kill();
      await until("the end of the plugin", () => !isRunning(config.pid!));
    },
  },
  {
    name: "ts->go netrpc Windows: a variable of cmd.env wins, however the host writes its name",
    needs,
    async run({ bin }) {
      process.env.Goplug_Case = "host";
      try {
        const cmd = { path: bin("kv-netrpc"), env: { GOPLUG_CASE: "own", path: "C:\\own" } };
        await withClient({ plugins: { kv }, cmd }, async (client) => {
          const store = await client.dispense("kv");
          assert.deepEqual(await Promise.all(["goplug_case", "PATH"].map((name) => store.Env(name))), [
            "own",
            "C:\\own",
          ]);
        });
      } finally {
        delete process.env.GOPLUG_CASE;
      }
    },
  },
  {
    name: "ts->go netrpc Windows: skipHostEnv leaves what every program needs",
    needs,
    async run({ bin }) {
      process.env.GOPLUG_CASE = "host";
      try {
        const config = { plugins: { kv }, cmd: [bin("kv-netrpc")] as [string], skipHostEnv: true };
        await withClient(config, async (client) => {
          const store = await client.dispense("kv");
          assert.equal(await store.Env("GOPLUG_CASE"), "");
          assert.notEqual(await store.Env("SystemRoot"), "");
        });
      } finally {
        delete process.env.GOPLUG_CASE;
      }
    },
  },
  {
    name: "ts->go netrpc Windows: a command without its extension, by its path and by PATH",
    needs,
    async run({ bin }) {
      const path = bin("greeter-netrpc").replace(/\.exe$/, "");
      const before = process.env.PATH;
      process.env.PATH = `${before}${delimiter}"${dirname(path)}"`;
      try {
        for (const command of [path, basename(path)]) {
          await withClient({ plugins: { greeter }, cmd: [command] }, async (client) => {
            assert.equal(await (await client.dispense("greeter")).Greet(null), "Hello!");
          });
        }
      } finally {
        process.env.PATH = before;
      }
    },
  },
  {
    name: "ts->go netrpc Windows: batch files and scripts are refused with what to start instead",
    async run() {
      const folder = await mkdtemp(join(tmpdir(), "goplug-windows-"));
      try {
        for (const [name, why] of [
          ["plugin.cmd", /is a batch file, and Node runs those in a shell only/],
          ["plugin.js", /is no Windows program: start the program that runs it instead/],
        ] as const) {
          const path = join(folder, name);
          await writeFile(path, "#!/usr/bin/env node\n");
          const client = new Client({ handshakeConfig, plugins: { kv }, cmd: [path], logger: nullLogger });
          await assert.rejects(client.start(), { code: "ERR_PLUGIN_NOT_EXECUTABLE", message: why });
        }
      } finally {
        await rm(folder, { recursive: true });
      }
    },
  },
];

export const cases: Case[] = process.platform === "win32" ? list : [];
