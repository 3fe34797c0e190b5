// What go-plugin's server_test.go and server_unix_test.go check of a plugin, by name, in test mode as there. Against Go
// hosts the same is checked in the interop matrix (socket-dir, socket-group, logs, handshake-*).
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { Client, gob, netRpcPlugin, nullLogger, serve, type TestReattachConfig } from "../../../src/index.js";
import { openSocket } from "../../../src/socket/open.js";
import { handshakeConfig } from "../../interop/support.js";

const doubler = netRpcPlugin({ Double: [gob.int, gob.int] });
const plugins = { test: doubler.implement({ Double: (n) => 2 * n }) };

/** Serves in test mode until `stop`. */
async function served(): Promise<{ reattach: TestReattachConfig; stop(): Promise<void> }> {
  const abort = new AbortController();
  let done!: Promise<void>;
  const reattach = await new Promise<TestReattachConfig>((onReattachConfig, reject) => {
    const { signal } = abort;
    done = serve({ handshakeConfig, plugins, logger: nullLogger, signal, test: { onReattachConfig } });
    done.catch(reject);
  });
  return {
    reattach,
    async stop() {
      abort.abort();
      await done;
    },
  };
}

test("TestServer_testMode: a host attaches; its kill leaves the plugin running; the signal ends it", async () => {
  const { reattach, stop } = await served();
  assert.equal(reattach.protocolVersion, handshakeConfig.protocolVersion);
  for (let i = 0; i < 2; i++) {
    const host = new Client({ handshakeConfig, plugins: { test: doubler }, reattach, logger: nullLogger });
    await host.ping();
    assert.equal(await (await host.dispense("test")).Double(21), 42);
    assert.equal(host.negotiatedVersion, 1);
    await host.kill();
  }
  const host = new Client({ handshakeConfig, plugins: { test: doubler }, reattach, logger: nullLogger });
  const connection = await host.client();
  await stop();
  await assert.rejects(connection.ping());
  await host.kill();
  console.log("the test's own output is the test's");
});

test("TestServer_RPC: nobody attaches", async () => {
  const { reattach, stop } = await served();
  assert.equal(reattach.protocol, "netrpc");
  await stop();
});

test("TestRmListener: closing removes the socket file", async () => {
  const listener = await openSocket();
  assert(statSync(listener.address).isSocket());
  listener.close();
  assert.throws(() => statSync(listener.address), { code: "ENOENT" });
});

test("TestUnixSocketDir", async () => {
  const folder = mkdtempSync(join(tmpdir(), "goplug-sockets-"));
  process.env.PLUGIN_UNIX_SOCKET_DIR = folder;
  try {
    const { reattach, stop } = await served();
    assert.equal(dirname(reattach.address.address), folder);
    await stop();
  } finally {
    delete process.env.PLUGIN_UNIX_SOCKET_DIR;
    rmSync(folder, { recursive: true });
  }
});

test("TestUnixSocketGroupPermissions, by number and by name", async () => {
  const gid = process.getgid!();
  const name = execFileSync("id", ["-gn"]).toString().trim();
  for (const group of [String(gid), name]) {
    process.env.PLUGIN_UNIX_SOCKET_GROUP = group;
    try {
      const { reattach, stop } = await served();
      const info = statSync(reattach.address.address);
      assert.equal(info.mode & 0o777, 0o660);
      assert.equal(info.gid, gid);
      await stop();
    } finally {
      delete process.env.PLUGIN_UNIX_SOCKET_GROUP;
    }
  }
});
