import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash, getHashes } from "node:crypto";
import { once } from "node:events";
import {
  chmod,
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  truncate,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { checkFile, type SecureConfig } from "../../../src/process/checksum.js";
import { pinExecutable } from "../../../src/process/pinned.js";
import { isRunning, until } from "../../interop/support.js";

const run = promisify(execFile);
let dir: string;

before(async () => {
  dir = await mkdtemp(join(tmpdir(), "goplug-checksum-"));
});
after(() => rm(dir, { recursive: true }));

async function file(name: string, content: string | Uint8Array, mode = 0o755): Promise<string> {
  const path = join(dir, name);
  await writeFile(path, content, { mode });
  await chmod(path, mode);
  return path;
}

function sha256(content: string | Uint8Array): SecureConfig & { checksum: Buffer } {
  return { checksum: createHash("sha256").update(content).digest(), hash: "sha256" };
}

test("a file with the expected digest passes, in bytes and in hexadecimal of either case, with any hash", async () => {
  const content = Buffer.alloc(200_001, "goplug");
  const path = await file("plugin", content);
  const names = ["md5", "sha1", "sha256", "sha512", "sha3-256", "blake2b512"].filter((name) =>
    getHashes().includes(name),
  );
  assert.ok(names.length >= 4);
  for (const hash of names) {
    const checksum = createHash(hash).update(content).digest();
    assert.equal(await checkFile(path, { checksum, hash }), true, hash);
    assert.equal(await checkFile(path, { checksum: new Uint8Array(checksum), hash }), true, hash);
    assert.equal(await checkFile(path, { checksum: checksum.toString("hex"), hash }), true, hash);
    assert.equal(
      await checkFile(path, { checksum: checksum.toString("hex").toUpperCase(), hash }),
      true,
      hash,
    );
  }
});

test("any other file, or any other digest, does not (TestClient_SecureConfig)", async () => {
  const path = await file("plugin", "content");
  const { checksum } = sha256("content");
  const flipped = Buffer.from(checksum);
  flipped[31]! ^= 1;
  for (const wrong of [
    flipped,
    checksum.subarray(0, 31),
    Buffer.concat([checksum, Buffer.alloc(1)]),
    Buffer.alloc(1),
  ]) {
    assert.equal(await checkFile(path, { checksum: wrong, hash: "sha256" }), false);
  }
  assert.equal(await checkFile(path, { checksum, hash: "sha512" }), false);
  assert.equal(await checkFile(await file("other", "content "), sha256("content")), false);
  assert.equal(await checkFile(await file("empty", ""), sha256("")), true);
});

test("a configuration without checksum or hash has go-plugin's errors", async () => {
  const path = await file("plugin", "content");
  const { checksum } = sha256("content");
  for (const check of [checkFile, pinExecutable]) {
    const none = { name: "ChecksumError", code: "ERR_CHECKSUM_NONE", message: "no checksum provided" };
    await assert.rejects(check(path, { checksum: Buffer.alloc(0), hash: "sha256" }), none);
    await assert.rejects(check(path, { checksum: "", hash: "" }), none);
    await assert.rejects(check(path, { checksum, hash: "" }), {
      code: "ERR_CHECKSUM_HASH",
      message: "no hash implementation provided",
    });
    await assert.rejects(check(path, { checksum, hash: "sha257" }), {
      code: "ERR_CHECKSUM_HASH",
      message: 'no hash implementation provided: node:crypto has no "sha257"',
    });
    for (const text of ["abc", "0x00", "zz", "ab cd", "ab\n"]) {
      await assert.rejects(
        check(path, { checksum: text, hash: "sha256" }),
        { code: "ERR_CHECKSUM_INVALID" },
        text,
      );
    }
  }
});

test("what is no readable regular file is refused, without waiting", {
  skip: process.platform === "win32",
}, async () => {
  const pipe = join(dir, "pipe");
  await run("mkfifo", [pipe]);
  for (const path of [join(dir, "absent"), dir, pipe, "/dev/zero", "nul\0byte"]) {
    for (const check of [checkFile, pinExecutable]) {
      await assert.rejects(
        check(path, sha256("")),
        { name: "ChecksumError", code: "ERR_CHECKSUM_FILE" },
        path,
      );
    }
  }
});

test("a check can be called off", async () => {
  const path = await file("plugin", "content");
  const reason = new Error("enough");
  const signal = AbortSignal.abort(reason);
  const aborted = { code: "ERR_ABORTED", cause: reason };
  await assert.rejects(checkFile(path, sha256("content"), signal), aborted);
  const directory = await mkdtemp(join(dir, "home-"));
  await assert.rejects(pinExecutable(path, sha256("content"), { signal, directory }), aborted);
  assert.deepEqual(await readdir(directory), []);
});

test("a pinned file is a private copy that cannot be written", {
  skip: process.platform === "win32",
}, async () => {
  const path = await file("plugin", "content", 0o777);
  const pinned = await pinExecutable(path, sha256("content"));
  assert.equal(basename(pinned.path), "plugin");
  assert.equal((await stat(pinned.path)).mode & 0o7777, 0o500);
  assert.equal((await stat(dirname(pinned.path))).mode & 0o7777, 0o700);
  await pinned.release();
  await pinned.release();
  await assert.rejects(stat(dirname(pinned.path)), { code: "ENOENT" });
});

test("a refused file leaves nothing behind", async () => {
  const directory = await mkdtemp(join(dir, "home-"));
  const path = await file("plugin", "content");
  await assert.rejects(pinExecutable(path, sha256("other"), { directory }), {
    name: "ChecksumError",
    code: "ERR_CHECKSUM_MISMATCH",
    message: "checksums did not match",
  });
  assert.deepEqual(await readdir(directory), []);
  await assert.rejects(pinExecutable(path, sha256("content"), { directory: join(dir, "absent") }), {
    code: "ERR_CHECKSUM_FILE",
    message: /private directory/,
  });
});

const posix = { skip: process.platform === "win32" };
const good = "#!/bin/sh\necho good $1\n";
const evil = "#!/bin/sh\necho evil $1\n";

/** Ways to put another content in a checked file's place. */
const swaps: Record<string, (path: string, content: string | Uint8Array) => Promise<void>> = {
  async "renamed over"(path, content) {
    await writeFile(`${path}.new`, content, { mode: 0o755 });
    await rename(`${path}.new`, path);
  },
  async "overwritten in place"(path, content) {
    await truncate(path, 0);
    await writeFile(path, content);
  },
  async "removed and made anew"(path, content) {
    await rm(path);
    await writeFile(path, content, { mode: 0o755 });
  },
};

for (const [how, swap] of Object.entries(swaps)) {
  test(`a script that is ${how} after the check: the checked one runs`, posix, async () => {
    const path = await file("script", good);
    const pinned = await pinExecutable(path, sha256(good));
    await swap(path, evil);
    assert.equal((await run(path, ["now"])).stdout, "evil now\n");
    assert.equal((await run(pinned.path, ["now"])).stdout, "good now\n");
    await pinned.release();
    assert.equal(await checkFile(path, sha256(good)), false);
  });

  test(`a binary that is ${how} after the check: the checked one runs`, posix, async () => {
    const path = join(dir, "binary");
    await copyFile("/bin/echo", path);
    await chmod(path, 0o755);
    const pinned = await pinExecutable(path, sha256(await readFile(path)));
    await swap(path, evil);
    assert.equal((await run(pinned.path, ["checked"])).stdout, "checked\n");
    await pinned.release();
  });
}

test("the copy can be removed while its process runs", posix, async () => {
  const script = "#!/bin/sh\necho ready\nread line\necho said $line\n";
  const pinned = await pinExecutable(await file("waits", script), sha256(script));
  const child = execFile(pinned.path);
  child.stdout!.setEncoding("utf8");
  const [ready] = (await once(child.stdout!, "data")) as [string];
  assert.equal(ready, "ready\n");
  await pinned.release();
  child.stdin!.end("it\n");
  assert.deepEqual(await once(child.stdout!, "data"), ["said it\n"]);
});

test("a host that ends without its plugin leaves neither copy nor process", posix, async () => {
  const path = join(dir, "sleep");
  await copyFile("/bin/sleep", path);
  await chmod(path, 0o755);
  const program = fileURLToPath(new URL("pinned-host.program.ts", import.meta.url));
  const digest = sha256(await readFile(path)).checksum.toString("hex");
  const { stdout } = await run(process.execPath, ["--import", "tsx", program, path, digest], {
    timeout: 60_000,
  });
  const left = JSON.parse(stdout) as { path: string; pid: number };
  assert.equal(basename(left.path), "sleep");
  await assert.rejects(stat(dirname(left.path)), { code: "ENOENT" });
  // The signal is on its way when the host has gone; the process that adopted the plugin has to see its end, too.
  await until("the end of the plugin", () => !isRunning(left.pid));
});

test("a file that nobody may execute stays so", posix, async () => {
  const pinned = await pinExecutable(await file("data", good, 0o644), sha256(good));
  await assert.rejects(run(pinned.path), { code: "EACCES" });
  await pinned.release();
});

test("files beside the original do not matter to the copy's name", async () => {
  await mkdir(join(dir, "sub dir"));
  const pinned = await pinExecutable(await file("sub dir/a plugin.exe", good), sha256(good));
  assert.equal(basename(pinned.path), "a plugin.exe");
  await pinned.release();
});
