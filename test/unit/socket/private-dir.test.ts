import assert from "node:assert/strict";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, afterEach, describe, test } from "node:test";
import { removeLeftover } from "../../../src/process/host-end/leftover.js";
import { socketTarget } from "../../../src/socket/address.js";
import { openPrivateSocket, openSocket } from "../../../src/socket/open.js";
import {
  checkPath,
  hasRoom,
  LONGEST_NAME,
  longestPath,
  socketTempDir,
  tempDir,
} from "../../../src/socket/path.js";
import { makePrivateDir } from "../../../src/socket/private-dir.js";

const skip = process.platform === "win32";
const base = mkdtempSync(join(tmpdir(), "goplug-sockets-"));
const before = { ...process.env };
afterEach(() => {
  for (const name of ["TMPDIR", "TMP", "TEMP"]) {
    if (before[name] === undefined) delete process.env[name];
    else process.env[name] = before[name];
  }
});
after(() => rmSync(base, { recursive: true }));

/** A folder whose path is as long as asked. */
function folderOf(length: number): string {
  let path = base;
  while (path.length < length)
    path = join(path, "d".repeat(Math.min(100, Math.max(1, length - path.length - 1))));
  mkdirSync(path, { recursive: true });
  return path;
}

describe("the folder for temporary files", { skip }, () => {
  test("is TMPDIR's, as in Go, whatever TMP and TEMP say", () => {
    assert.equal(tempDir({ TMPDIR: "/t", TMP: "/other", TEMP: "/other" }), "/t");
    assert.equal(tempDir({ TMP: "/other", TEMP: "/other" }), "/tmp");
    assert.equal(tempDir({ TMPDIR: "" }), "/tmp");
  });

  test("holds sockets up to the last byte that fits, and a shorter one does beyond", () => {
    const room = longestPath() - LONGEST_NAME.length - 1;
    const [fits, tooLong] = [folderOf(room), folderOf(room + 1)];
    assert.deepEqual([hasRoom(fits), hasRoom(tooLong)], [true, false]);
    process.env.TMPDIR = fits;
    assert.equal(socketTempDir(), fits);
    process.env.TMPDIR = tooLong;
    assert.equal(socketTempDir(), "/tmp");
  });
});

describe("a path", { skip }, () => {
  test("may be as long as the system's structure, in bytes", async () => {
    checkPath("p".repeat(longestPath()));
    for (const path of ["p".repeat(longestPath() + 1), "ä".repeat(longestPath() / 2 + 1)]) {
      assert.throws(() => checkPath(path), { code: "ERR_SOCKET_PATH", message: /use a shorter folder$/ });
      assert.throws(() => socketTarget({ network: "unix", address: path }), { code: "ERR_SOCKET_PATH" });
    }
  });

  test("that is as long as allowed can be listened on and connected to, under its own name", async () => {
    const path = join(folderOf(longestPath() - 2), "s");
    assert.equal(path.length, longestPath());
    const server = createServer().listen(path);
    await once(server, "listening");
    assert(existsSync(path));
    server.close();
  });
});

describe("under a TMPDIR that is too deep for sockets", { skip }, () => {
  test("sockets and private folders are made in /tmp", async () => {
    process.env.TMPDIR = folderOf(150);
    const socket = await openSocket({ network: "unix" });
    assert.equal(dirname(socket.address), "/tmp");
    socket.close();
    const folder = await makePrivateDir({ prefix: "goplug-test" });
    assert.equal(dirname(folder.path), "/tmp");
    assert.equal(folder.remove(), undefined);
    const own = await openPrivateSocket("goplug-test");
    assert.match(own.address, /^\/tmp\/goplug-test\w{6}\/plugin\d+$/);
    own.close();
    assert.deepEqual([socket.address, folder.path, dirname(own.address)].filter(existsSync), []);
  });

  test("a folder that the user named is not replaced by another", async () => {
    const parent = folderOf(150);
    await assert.rejects(makePrivateDir({ prefix: "p", parent }), { code: "ERR_SOCKET_PATH" });
    await assert.rejects(openSocket({ network: "unix", directory: parent }), { code: "ERR_SOCKET_PATH" });
    assert.deepEqual(readdirSync(parent), []);
  });
});

describe("a private folder", { skip }, () => {
  test("is the owner's alone, or also its group's", async () => {
    const own = await makePrivateDir({ prefix: "p", parent: base });
    const shared = await makePrivateDir({ prefix: "p", parent: base, group: String(process.getgid!()) });
    assert.deepEqual(
      [own, shared].map(({ path }) => statSync(path).mode & 0o777),
      [0o700, 0o770],
    );
    own.remove();
    shared.remove();
  });

  test("goes with the sockets in it, more than once", async () => {
    const folder = await makePrivateDir({ prefix: "p", parent: base });
    const server = createServer().listen(join(folder.path, "plugin1"));
    await once(server, "listening");
    // A Go plugin that is killed between choosing a name and listening leaves this.
    writeFileSync(join(folder.path, "plugin2"), "");
    assert.equal(folder.remove(), undefined);
    assert.equal(folder.remove(), undefined);
    assert.equal(existsSync(folder.path), false);
    server.close();
  });

  test("stays when there is something else in it, and says so", async () => {
    const folder = await makePrivateDir({ prefix: "p", parent: base });
    writeFileSync(join(folder.path, "file"), "");
    writeFileSync(join(folder.path, "plugin2"), "kept");
    mkdirSync(join(folder.path, "plugin1"));
    writeFileSync(join(folder.path, "plugin1", "file"), "kept");
    assert.match(folder.remove()!.message, /ENOTEMPTY/);
    assert.deepEqual(readdirSync(folder.path).sort(), ["file", "plugin1", "plugin2"]);
    assert.deepEqual(readdirSync(join(folder.path, "plugin1")), ["file"]);
  });

  test("cannot be made where there is no parent, or no such group", async () => {
    await assert.rejects(makePrivateDir({ prefix: "p", parent: join(base, "none") }), {
      code: "ERR_SOCKET_LISTEN",
      message: /^cannot make a folder for sockets in .*none/,
    });
    await assert.rejects(makePrivateDir({ prefix: "p", parent: base, group: "no such group" }), {
      code: "ERR_SOCKET_GROUP",
    });
  });
});

test("what is removed is of the kind that it should be, whatever else is there", { skip }, async () => {
  const folder = mkdtempSync(join(base, "kinds"));
  const path = (name: string): string => join(folder, name);
  writeFileSync(path("file"), "");
  mkdirSync(path("folder"));
  const server = createServer().listen(path("socket"));
  await once(server, "listening");
  for (const name of ["file", "folder", "socket"]) symlinkSync(path(name), path(`link-to-${name}`));
  for (const kind of ["socket", "file", "folder"] as const) {
    for (const name of readdirSync(folder)) {
      if (name !== kind) removeLeftover({ kind, path: path(name) });
    }
  }
  assert.deepEqual(readdirSync(folder).sort(), [
    "file",
    "folder",
    "link-to-file",
    "link-to-folder",
    "link-to-socket",
    "socket",
  ]);
  for (const kind of ["socket", "file", "folder"] as const) removeLeftover({ kind, path: path(kind) });
  assert.deepEqual(readdirSync(folder).sort(), ["link-to-file", "link-to-folder", "link-to-socket"]);
  server.close();
});
