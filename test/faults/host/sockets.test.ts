// What a plugin announces as its socket is its word: nothing but a socket of its own is ever removed for it.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Client, nullLogger } from "../../../src/index.js";
import { binary } from "../../interop/case.js";
import { call, counter } from "../../interop/grpc-support.js";
import { handshakeConfig, isRunning, kv, stop, until } from "../../interop/support.js";
import { needs } from "../../support.js";

const folder = mkdtempSync(join(tmpdir(), "goplug-announced-"));
after(() => rmSync(folder, { recursive: true }));

async function runHost(address: string, how: string): Promise<void> {
  const script = fileURLToPath(new URL("announcing-host.ts", import.meta.url));
  const child = spawn(process.execPath, ["--import", "tsx", script, address, how], {
    stdio: ["ignore", "inherit", "inherit"],
    timeout: 60_000,
    killSignal: "SIGKILL",
  });
  const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
  assert.deepEqual([code, signal], how === "signal" ? [null, "SIGTERM"] : [0, null]);
}

describe("a plugin that announces", { skip: process.platform === "win32", concurrency: 2 }, () => {
  for (const how of ["exit", "signal", "kill", "connect"]) {
    test(`a folder as its socket loses nothing (${how})`, async () => {
      const announced = join(folder, `folder-${how}`);
      mkdirSync(join(announced, "inner"), { recursive: true });
      writeFileSync(join(announced, "inner", "file"), "kept");
      await runHost(announced, how);
      assert.equal(readFileSync(join(announced, "inner", "file"), "utf8"), "kept");
    });

    test(`a regular file as its socket loses nothing (${how})`, async () => {
      const announced = join(folder, `file-${how}`);
      writeFileSync(announced, "kept");
      await runHost(announced, how);
      assert.equal(readFileSync(announced, "utf8"), "kept");
    });

    test(`somebody else's socket leaves it where it is (${how})`, async () => {
      const announced = join(folder, `socket-${how}`);
      const server = createServer((socket) => socket.destroy()).listen(announced);
      await once(server, "listening");
      const yesterday = new Date(Date.now() - 86_400_000);
      utimesSync(announced, yesterday, yesterday);
      await runHost(announced, how);
      assert(existsSync(announced));
      server.close();
    });
  }
});

describe("a Go plugin", needs("kv-netrpc", "kv-grpc", "counter-grpc"), () => {
  for (const name of ["kv-netrpc", "kv-grpc"] as const) {
    test(`${name} starts under a TMPDIR that is too deep for sockets, and leaves nothing`, async () => {
      const deep = join(folder, "d".repeat(120));
      mkdirSync(deep, { recursive: true });
      const client = new Client({
        handshakeConfig,
        plugins: { kv },
        cmd: { path: binary(name), env: { TMPDIR: deep } },
        allowedProtocols: ["netrpc", "grpc"],
        logger: nullLogger,
      });
      try {
        await client.ping();
      } finally {
        await client.kill();
      }
      const { address } = client.address!;
      assert.match(address, /\/plugin-dir\w{6}\/plugin\d+$/);
      assert.equal(existsSync(join(address, "..")), false);
      assert.deepEqual(readdirSync(deep), []);
    });
  }

  test("that was called off between its listen and its handshake leaves no socket", {
    skip: process.platform !== "linux",
  }, async () => {
    const inner = mkdtempSync(join(folder, "calledoff"));
    const abort = new AbortController();
    // Its stdout goes nowhere, so that the line never comes.
    const client = new Client({
      handshakeConfig,
      plugins: { kv },
      cmd: { path: "sh", args: ["-c", 'exec "$0" > /dev/null', binary("kv-netrpc")], env: { TMPDIR: inner } },
      logger: nullLogger,
    });
    const starting = client.start({ signal: abort.signal });
    // A plugin that closes its stdout has said nothing; one that redirects it has closed the pipe.
    const outcome = starting.catch((error: { code: string }) => error.code);
    try {
      await until("the socket", () => readdirSync(inner).length > 0);
    } finally {
      abort.abort();
    }
    assert.match(String(await outcome), /^ERR_(?:ABORTED|HANDSHAKE_LINE)$/);
    assert.deepEqual(readdirSync(inner), []);
  });

  test("that is called off at any moment of its start leaves no socket", {
    skip: process.platform !== "linux",
  }, async () => {
    const inner = mkdtempSync(join(folder, "anymoment"));
    let calledOff = 0;
    for (let i = 0; i < 60; i++) {
      const client = new Client({
        handshakeConfig,
        plugins: { kv },
        cmd: { path: binary("kv-netrpc"), env: { TMPDIR: inner } },
        logger: nullLogger,
      });
      const signal = AbortSignal.timeout(1 + (i % 20));
      await client.start({ signal }).catch(() => calledOff++);
      await client.kill();
    }
    assert(calledOff > 10, `${calledOff} were called off`);
    // Go chooses a socket's name by an empty file, which it removes at once; stopped in between it leaves that.
    assert.deepEqual(
      readdirSync(inner).filter((name) => lstatSync(join(inner, name)).isSocket()),
      [],
    );
  });

  test("that is killed leaves none of its brokered servers' sockets", {
    skip: process.platform !== "linux",
  }, async () => {
    const inner = mkdtempSync(join(folder, "brokered"));
    const client = new Client({
      handshakeConfig,
      plugins: { counter },
      cmd: { path: binary("counter-grpc"), env: { TMPDIR: inner } },
      allowedProtocols: ["grpc"],
      logger: nullLogger,
    });
    const face = await client.dispense("counter");
    await call(face.counter, face.counter.open, {});
    await until("a second socket", () => readdirSync(inner).length === 2);
    // It cannot answer any more, and has to be killed.
    await stop(client.pid!);
    await client.kill();
    assert.deepEqual(client.exitStatus, { code: null, signal: "SIGKILL" });
    assert.deepEqual(readdirSync(inner), []);
  });

  test("that is to outlive its host keeps its socket beside one that is not", async () => {
    const script = fileURLToPath(new URL("outliving-host.ts", import.meta.url));
    const child = spawn(process.execPath, ["--import", "tsx", script, binary("kv-netrpc")], {
      stdio: ["ignore", "pipe", "inherit"],
      timeout: 60_000,
      killSignal: "SIGKILL",
    });
    let printed = "";
    child.stdout.on("data", (chunk: Buffer) => {
      printed += chunk;
    });
    await once(child, "close");
    const { config, other } = JSON.parse(printed);
    try {
      await until("the end of the other plugin", () => !isRunning(other));
      const client = new Client({ handshakeConfig, plugins: { kv }, reattach: config, logger: nullLogger });
      const store = await client.dispense("kv");
      assert.equal(await store.Pid(null), config.pid);
      await client.kill();
    } finally {
      if (isRunning(config.pid)) process.kill(config.pid, "SIGKILL");
      rmSync(config.address.address, { force: true });
    }
  });
});
