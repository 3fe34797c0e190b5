// What a client knows of a plugin whose start or connection has failed, and what is left of it: nothing.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, type ClientConfig, nullLogger } from "../../../src/index.js";
import { binary } from "../../interop/case.js";
import { greeter, handshakeConfig, isRunning, kv } from "../../interop/support.js";
import { needs } from "../../support.js";

const folder = mkdtempSync(join(tmpdir(), "goplug-failed-"));
after(() => rmSync(folder, { recursive: true }));
const unix = { skip: process.platform === "win32" };

function shell(script: string, options: Partial<ClientConfig> = {}): Client<{ greeter: typeof greeter }> {
  const cmd = ["sh", "-c", script] as const;
  return new Client({ handshakeConfig, plugins: { greeter }, cmd, logger: nullLogger, ...options } as never);
}

/** The plugin has had a pid, and has ended. */
function assertEnded(client: Client, signal: string | null, code: number | null): void {
  assert.equal(client.id, String(client.pid));
  assert.deepEqual([client.exited, client.exitStatus], [true, { code, signal }]);
  assert.equal(isRunning(client.pid!), false);
}

test("a plugin that exits during its start: pid and exit status are there", unix, async () => {
  const client = shell("exit 3");
  await assert.rejects(client.start(), { code: "ERR_START_EXITED" });
  assertEnded(client, null, 3);
});

test("a plugin that says nothing: pid and exit status are there", unix, async () => {
  const client = shell("exec sleep 60", { startTimeout: 1000 });
  await assert.rejects(client.start(), { code: "ERR_START_TIMEOUT" });
  assertEnded(client, "SIGKILL", null);
});

test("a plugin whose handshake is refused: pid and exit status are there", unix, async () => {
  const client = shell("echo hello; exec sleep 60");
  await assert.rejects(client.start(), { code: "ERR_HANDSHAKE_LINE" });
  assertEnded(client, "SIGKILL", null);
});

test("a plugin that is called off in mid-start: pid and exit status are there", unix, async () => {
  const client = shell("exec sleep 60");
  const rejected = assert.rejects(client.start(), { code: "ERR_ABORTED" });
  while (client.pid === undefined) await sleep(5);
  assert.deepEqual([client.exited, client.exitStatus], [false, undefined]);
  await client.kill();
  await rejected;
  assertEnded(client, "SIGKILL", null);
});

test("a command that cannot be started has never had a pid", async () => {
  const client = shell("", { cmd: [join(folder, "missing")] });
  await assert.rejects(client.start(), { code: "ERR_PLUGIN_NOT_FOUND" });
  assert.deepEqual(
    [client.id, client.pid, client.exited, client.exitStatus],
    ["", undefined, false, undefined],
  );
});

for (const protocol of ["netrpc", "grpc"] as const) {
  test(`a plugin (${protocol}) that cannot be connected to does not live on`, unix, async () => {
    const line = `1|1|unix|${join(folder, "nobody")}|${protocol}|`;
    const client = shell(`echo "${line}"; exec sleep 60`, { allowedProtocols: [protocol] });
    await assert.rejects(client.ping(), { code: "ERR_START_CONNECT" });
    assertEnded(client, "SIGKILL", null);
    await assert.rejects(client.dispense("greeter"), { code: "ERR_START_CONNECT" });
    await client.kill();
  });
}

test("a plugin that was reattached to lives on when it cannot be connected to, and can be tried again", {
  ...needs("kv-netrpc"),
}, async () => {
  const first = new Client({
    handshakeConfig,
    plugins: { kv },
    cmd: [binary("kv-netrpc")],
    logger: nullLogger,
  });
  await first.start();
  try {
    const config = (await first.reattachConfig())!;
    const path = join(folder, "deaf");
    const server = createServer((socket) => socket.destroy()).listen(path);
    const { startTime: _, pid: __, ...rest } = config;
    const runner = () => ({
      id: config.pid!.toString(),
      wait: () => new Promise<never>(() => {}),
      kill: async () => assert.fail("killed"),
    });
    const reattach = { ...rest, runner, address: { network: "unix", address: `${path}-none` } } as const;
    const second = new Client({ handshakeConfig, plugins: { kv }, reattach, logger: nullLogger });
    await assert.rejects(second.ping(), { code: "ERR_START_CONNECT" });
    await assert.rejects(second.ping(), { code: "ERR_START_CONNECT" });
    assert(isRunning(config.pid!));
    server.close();
  } finally {
    await first.kill();
  }
});

test(
  "a start without limit takes as long as it takes, with TLS and without",
  needs("kv-netrpc"),
  async () => {
    for (const startTimeout of [Infinity, 2 ** 31, 0, undefined]) {
      for (const autoMTLS of [true, false]) {
        await using client = new Client({
          handshakeConfig,
          plugins: { kv },
          cmd: [binary("kv-netrpc")],
          logger: nullLogger,
          autoMTLS,
          ...(startTimeout !== undefined && { startTimeout }),
        });
        await client.ping();
      }
    }
  },
);
