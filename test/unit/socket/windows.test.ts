// Sockets on Windows, where Node takes no path but that of a named pipe.
import assert from "node:assert/strict";
import { test } from "node:test";
import { socketTarget } from "../../../src/socket/address.js";
import { openSocket } from "../../../src/socket/open.js";
import { hasRoom, longestPath } from "../../../src/socket/path.js";

test("both sides listen on TCP, in the range that the host names", async () => {
  const any = await openSocket({}, "win32");
  assert.deepEqual([any.network, /^127\.0\.0\.1:\d+$/.test(any.address)], ["tcp", true]);
  const port = Number(any.address.split(":")[1]);
  const next = await openSocket({ minPort: port, maxPort: port + 200 }, "win32");
  const chosen = Number(next.address.split(":")[1]);
  assert.ok(chosen > port && chosen <= port + 200, next.address);
  await assert.rejects(openSocket({ minPort: port, maxPort: port }, "win32"), { code: "ERR_SOCKET_PORT" });
  any.close();
  next.close();
});

test("a unix socket is refused with what to use instead", async () => {
  await assert.rejects(openSocket({ network: "unix" }, "win32"), {
    code: "ERR_SOCKET_LISTEN",
    message: 'Node has no unix sockets on Windows: use the network "tcp"',
  });
});

test("a path that a plugin announces is connected to if it is a named pipe's", () => {
  for (const path of ["\\\\.\\pipe\\plugin", "\\\\?\\pipe\\plugin", "//./pipe/plugin"]) {
    assert.deepEqual(socketTarget({ network: "unix", address: path }, "win32"), { path });
  }
  assert.throws(() => socketTarget({ network: "unix", address: "C:\\Temp\\plugin1" }, "win32"), {
    code: "ERR_SOCKET_PATH",
    message:
      "Node has no unix sockets on Windows, and cannot connect to C:\\Temp\\plugin1: the other side has to use TCP",
  });
  assert.deepEqual(socketTarget({ network: "tcp", address: "127.0.0.1:1" }, "win32"), {
    host: "127.0.0.1",
    port: 1,
  });
});

// Paths are resolved by the rules of the system that runs the test.
const onPosix = { skip: process.platform === "win32" };

test("no folder is too deep, as no socket goes there; macOS has four bytes less than Linux", onPosix, () => {
  const deep = `/${"d".repeat(90)}`;
  assert.deepEqual(
    (["linux", "darwin", "win32"] as const).map((platform) => [
      longestPath(platform),
      hasRoom(deep, platform),
    ]),
    [
      [107, false],
      [103, false],
      [103, true],
    ],
  );
  // What is left beside the longest name: `/` and 16 letters.
  assert.deepEqual(
    (["linux", "darwin"] as const).map((platform) => hasRoom(`/${"d".repeat(88)}`, platform)),
    [true, false],
  );
});
