import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { connectInPlace, connectSocket } from "../../../src/socket/connect.js";
import { openSocket } from "../../../src/socket/open.js";
import { groupNumber } from "../../../src/socket/user-group.js";
import { readWithPauses } from "../../support.js";

const directory = mkdtempSync(join(tmpdir(), "goplug-connect-"));
after(() => rmSync(directory, { recursive: true }));

describe("connectSocket", () => {
  test("connects, and small writes do not wait for each other", async (t) => {
    const noDelay = t.mock.method(Socket.prototype, "setNoDelay");
    const server = await openSocket({ network: "tcp" });
    const socket = await connectSocket(server);
    assert.equal(noDelay.mock.callCount(), 1);
    assert.equal(socket.listenerCount("error"), 0);
    socket.destroy();
    server.close();
  });

  test("a connection that is called off is destroyed, and its late error is nobody's", async (t) => {
    const sockets: Socket[] = [];
    const original = Socket.prototype.connect;
    t.mock.method(Socket.prototype, "connect", function (this: Socket, ...args: unknown[]) {
      sockets.push(this);
      return original.apply(this, args as never);
    });
    const abort = new AbortController();
    const connecting = connectSocket({ network: "tcp", address: "127.0.0.1:1" }, abort.signal);
    abort.abort("enough");
    await assert.rejects(connecting, { code: "ERR_ABORTED", cause: "enough" });
    assert.deepEqual(
      sockets.map(({ destroyed }) => destroyed),
      [true],
    );
    sockets[0]!.emit("error", new Error("late"));
  });

  test("where nobody listens the error is the system's", { skip: process.platform === "win32" }, async () => {
    await assert.rejects(connectSocket({ network: "unix", address: join(directory, "none") }), {
      code: "ENOENT",
    });
  });
});

describe("connectInPlace", () => {
  test("what came before anybody read is read first; the end comes behind everything", async () => {
    const server = await openSocket({ network: "tcp" });
    server.server.once("connection", (peer) => {
      peer.write("early ");
      peer.once("data", () => peer.end("late"));
    });
    const { socket, read } = await connectInPlace(server);
    // As long as it takes for the first bytes to come, and to be held back.
    while (socket.bytesRead === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    let text = "";
    const ended = new Promise<void>((resolve) => socket.once("end", resolve));
    read((chunk) => {
      text += chunk.toString();
    });
    assert.equal(text, "early ");
    socket.write("go on");
    await ended;
    assert.equal(text, "early late");
    socket.destroy();
    server.close();
  });

  test("a pause stops the bytes, and nothing is lost by it", async () => {
    const server = await openSocket({ network: "tcp" });
    const body = Buffer.alloc(5_000_000, "goplug");
    server.server.once("connection", (peer) => peer.end(body));
    const { socket, read } = await connectInPlace(server);
    assert.ok((await readWithPauses(socket, read)).equals(body));
    socket.destroy();
    server.close();
  });
});

test("a connection that cannot be accepted ends nothing", async () => {
  const { server, close } = await openSocket({ network: "tcp" });
  server.emit("error", new Error("accept EMFILE"));
  close();
});

test("a group is found by its whole name", { skip: process.platform !== "linux" }, async () => {
  assert.equal(await groupNumber("root"), 0);
  assert.equal(await groupNumber("12345"), 12345);
  for (const name of ["roo", "r", "", "root:"]) {
    await assert.rejects(groupNumber(name), { code: "ERR_SOCKET_GROUP" });
  }
});
