import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { connect, createServer, Server } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, describe, test } from "node:test";
import { openSocket } from "../../../src/socket/open.js";

const directory = mkdtempSync(join(tmpdir(), "goplug-listener-"));
after(() => rmSync(directory, { recursive: true }));

describe("openSocket on a unix socket", { skip: process.platform === "win32" }, () => {
  test("is reachable, is the owner's alone whatever the umask, and goes when closed", async () => {
    const umask = process.umask(0);
    try {
      const listener = await openSocket({ network: "unix", directory });
      assert.equal(process.umask(), 0, "the umask is put back");
      assert.equal(listener.network, "unix");
      assert.equal(dirname(listener.address), directory);
      assert.match(listener.address, /\/plugin\d+$/);
      assert.equal(statSync(listener.address).mode & 0o077, 0);
      const socket = connect(listener.address);
      await once(socket, "connect");
      listener.close();
      listener.close();
      assert.equal(existsSync(listener.address), false);
      assert.equal(socket.destroyed, false, "connections outlive the listener");
      socket.destroy();
    } finally {
      process.umask(umask);
    }
  });

  test("is nobody else's at any moment: it is made under a private umask", async (t) => {
    const listen = t.mock.method(Server.prototype, "listen", function (this: Server, ...args: unknown[]) {
      umask = process.umask();
      listen.mock.restore();
      return this.listen(...(args as [string]));
    });
    let umask: number | undefined;
    (await openSocket({ network: "unix", directory })).close();
    assert.equal(umask, 0o077);
  });

  test("is open to the group that was asked for, by number or by name", async () => {
    const gid = process.getgid!();
    const listener = await openSocket({ network: "unix", directory, group: String(gid) });
    const { mode, gid: owner } = statSync(listener.address);
    assert.deepEqual([mode & 0o777, owner], [0o660, gid]);
    listener.close();
    if (gid === 0) {
      const named = await openSocket({ network: "unix", directory, group: "root" });
      assert.equal(statSync(named.address).mode & 0o777, 0o660);
      named.close();
    }
    await assert.rejects(openSocket({ network: "unix", directory, group: "no such group" }), {
      code: "ERR_SOCKET_GROUP",
      message: 'failed to find gid from "no such group"',
    });
  });

  test("refuses a path that the system would cut off", async () => {
    const limit = process.platform === "linux" ? 107 : 103;
    await assert.rejects(openSocket({ network: "unix", directory: `/tmp/${"d".repeat(limit)}` }), {
      code: "ERR_SOCKET_PATH",
    });
  });

  test("a directory that is not there is a typed error", async () => {
    await assert.rejects(openSocket({ network: "unix", directory: join(directory, "none") }), {
      code: "ERR_SOCKET_LISTEN",
      message: /there is no folder .*none$/,
    });
  });
});

describe("openSocket on TCP", () => {
  test("takes any port by default, on the loopback interface", async () => {
    const listener = await openSocket({ network: "tcp" });
    assert.match(listener.address, /^127\.0\.0\.1:[1-9]\d*$/);
    const socket = connect(Number(listener.address.split(":")[1]), "127.0.0.1");
    await once(socket, "connect");
    socket.destroy();
    listener.close();
  });

  test("takes the first free port of the range, and says when there is none", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as { port: number };
    await assert.rejects(openSocket({ network: "tcp", minPort: port, maxPort: port }), {
      code: "ERR_SOCKET_PORT",
      message: "couldn't bind plugin TCP listener",
    });
    const listener = await openSocket({ network: "tcp", minPort: port, maxPort: port + 50 });
    const chosen = Number(listener.address.split(":")[1]);
    assert.ok(chosen > port && chosen <= port + 50);
    listener.close();
    taken.close();
  });

  test("go-plugin's texts for ranges that are none", async () => {
    await assert.rejects(openSocket({ network: "tcp", minPort: 5, maxPort: 4 }), {
      message: "PLUGIN_MIN_PORT value of 5 is greater than PLUGIN_MAX_PORT value of 4",
    });
  });
});
