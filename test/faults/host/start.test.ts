import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { Client, GoplugError, nullLogger, StartError } from "../../../src/index.js";
import { binary } from "../../interop/case.js";
import { assertGone, greeter, handshakeConfig, isRunning } from "../../interop/support.js";
import { needs } from "../../support.js";

const folder = mkdtempSync(join(tmpdir(), "goplug-start-"));
after(() => rmSync(folder, { recursive: true }));

/** Starts a command that must not become usable, and returns the error. */
async function startFails(
  cmd: readonly [string, ...string[]],
  options: { startTimeout?: number; connect?: boolean } = {},
): Promise<GoplugError> {
  const { startTimeout = 20_000, connect = false } = options;
  const client = new Client({
    handshakeConfig,
    plugins: { greeter },
    cmd,
    startTimeout,
    logger: nullLogger,
    // What a plugin has made that is killed before its handshake goes with the folder.
    unixSocketConfig: {},
  });
  try {
    await (connect ? client.dispense("greeter") : client.start());
  } catch (error) {
    assert(error instanceof GoplugError, `not a typed error: ${error}`);
    if (!connect) await assert.rejects(client.dispense("greeter"), (again) => again === error);
    await client.kill();
    assertGone(client);
    return error;
  }
  await client.kill();
  throw new Error(`${cmd.join(" ")} started`);
}

function file(name: string, content: string, mode: number): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

describe("an executable that cannot be started", () => {
  test("is missing", async () => {
    const error = await startFails([join(folder, "missing")]);
    assert.equal(error.code, "ERR_PLUGIN_NOT_FOUND");
    assert.match(error.message, /missing: there is no file /);
  });

  test("is missing from PATH", async () => {
    assert.equal((await startFails(["goplug-no-such-command"])).code, "ERR_PLUGIN_NOT_FOUND");
  });

  test("is a directory", async () => {
    const error = await startFails([folder]);
    assert.equal(error.code, "ERR_PLUGIN_NOT_EXECUTABLE");
    assert.match(error.message, /it is a directory/);
  });

  test("lacks the permission", async () => {
    const error = await startFails([file("plain", "#!/bin/sh\n", 0o644)]);
    assert.equal(error.code, "ERR_PLUGIN_NOT_EXECUTABLE");
  });

  test("names an interpreter that is missing", async () => {
    const error = await startFails([file("orphan", "#!/no/such/interpreter\n", 0o755)]);
    assert.equal(error.code, "ERR_PLUGIN_NOT_FOUND");
  });

  test("is built for another machine", async () => {
    const elf = Buffer.alloc(64);
    elf.write("\x7fELF\x02\x01\x01", "latin1");
    elf.writeUInt16LE(2, 16);
    elf.writeUInt16LE(243, 18);
    const path = file("riscv", "", 0o755);
    writeFileSync(path, elf);
    const error = await startFails([path]);
    // The shell that execvp falls back on, or the kernel, refuses it; either way it is typed.
    assert.match(error.code, /^(?:ERR_PLUGIN_NOT_EXECUTABLE|ERR_START_EXITED)$/);
  });
});

describe("a shell script that is a plugin's opposite", () => {
  test("exits at once: its stderr is in the error", async () => {
    const path = file("dies", "#!/bin/sh\necho first reason >&2\necho second reason >&2\nexit 3\n", 0o755);
    const error = await startFails([path]);
    assert(error instanceof StartError);
    assert.equal(error.code, "ERR_START_EXITED");
    assert.match(error.message, /plugin exited before we could connect: .*dies exited with code 3/);
    assert.match(error.message, /first reason\nsecond reason$/);
    assert.equal(error.stderrTail, "first reason\nsecond reason\n");
  });

  test("leaves a grandchild that holds its pipes: the exit is still seen", async () => {
    const path = file("forks", "#!/bin/sh\nsleep 30 &\necho $! >&2\nexit 4\n", 0o755);
    const error = await startFails([path]);
    assert(error instanceof StartError);
    assert.match(error.message, /exited with code 4/);
    process.kill(Number(error.stderrTail.trim()));
  });

  test("closes its stdout and lives on: that is told at once, not at the start timeout", async () => {
    const error = await startFails([file("shuts", "#!/bin/sh\nexec >&-\nexec sleep 30\n", 0o755)]);
    assert.equal(error.code, "ERR_HANDSHAKE_LINE");
    assert.match(error.message, /Unrecognized remote plugin message: \n/);
  });

  test("keeps only the last 64 KiB of stderr", async () => {
    const path = file(
      "talks",
      "#!/bin/sh\nyes 0123456789 | head -c 300000 >&2\necho the end >&2\nexit 1\n",
      0o755,
    );
    const error = await startFails([path]);
    assert(error instanceof StartError);
    assert.equal(error.stderrTail.length, 65_536);
    assert.match(error.stderrTail, /the end\n$/);
    assert(error.message.length < 8192);
  });
});

describe("a plugin that does not shake hands", needs("misbehave"), () => {
  const bad: [mode: string, code: string, message: RegExp][] = [
    ["exit", "ERR_START_EXITED", /exited with code 3[\s\S]*misbehave: giving up/],
    ["exit-zero", "ERR_START_EXITED", /exited with code 0/],
    ["crash", "ERR_START_EXITED", /exited with code 2; it panicked:\npanic: crash before the handshake/],
    ["killed", "ERR_START_EXITED", /was killed by SIGKILL/],
    [
      "garbage",
      "ERR_HANDSHAKE_LINE",
      /Unrecognized remote plugin message: Hello, I am no handshake\.[\s\S]*Path: /,
    ],
    ["binary", "ERR_HANDSHAKE_LINE", /Unrecognized remote plugin message/],
    ["flood", "ERR_HANDSHAKE_LINE", /no handshake, over and over/],
    ["longline", "ERR_HANDSHAKE_LINE", /no line break/],
    ["half-exit", "ERR_START_EXITED", /exited with code 3 after printing "1\|1\|unix"/],
    ["three", "ERR_HANDSHAKE_LINE", /Unrecognized remote plugin message: 1\|1\|unix/],
    ["empty-line", "ERR_HANDSHAKE_LINE", /Unrecognized remote plugin message: \n/],
    ["core", "ERR_HANDSHAKE_CORE_VERSION", /incompatible core API version/],
    ["core-text", "ERR_HANDSHAKE_CORE_VERSION", /error parsing core protocol version/],
    ["app", "ERR_HANDSHAKE_APP_VERSION", /Plugin version: 99, Client versions: \[1\]/],
    ["app-text", "ERR_HANDSHAKE_APP_VERSION", /Error parsing protocol version "x"/],
    ["network", "ERR_HANDSHAKE_ADDRESS", /unknown address type/],
    ["protocol", "ERR_HANDSHAKE_PROTOCOL", /unsupported plugin protocol "smoke"\. Supported: \[netrpc\]/],
    ["grpc", "ERR_HANDSHAKE_PROTOCOL", /unsupported plugin protocol "grpc"\. Supported: \[netrpc\]/],
    ["cert", "ERR_HANDSHAKE_CERTIFICATE", /error parsing server cert/],
    ["bad-port", "ERR_HANDSHAKE_ADDRESS", /127\.0\.0\.1:http-ish/],
    ["banner", "ERR_HANDSHAKE_LINE", /Unrecognized remote plugin message: Banner of a careless library/],
  ];
  for (const [mode, code, message] of bad) {
    test(mode, async () => {
      const error = await startFails([binary("misbehave"), mode]);
      assert.equal(error.code, code);
      assert.match(error.message, message);
    });
  }

  for (const mode of ["nothing", "half"]) {
    test(`${mode}, until the start timeout`, async () => {
      const error = await startFails([binary("misbehave"), mode], { startTimeout: 300 });
      assert.equal(error.code, "ERR_START_TIMEOUT");
      assert.match(error.message, /^timeout while waiting for plugin to start/);
    });
  }
});

describe("a plugin that cannot be connected to", needs("misbehave"), () => {
  for (const [mode, code] of [
    ["bad-address", "ERR_START_CONNECT"],
    ["refused", "ERR_START_CONNECT"],
    ["accept-close", "ERR_NETRPC_CONNECTION_LOST"],
    ["accept-garbage", "ERR_NETRPC_CONNECTION_LOST"],
  ] as const) {
    test(mode, async () => {
      const error = await startFails([binary("misbehave"), mode], { connect: true });
      assert(error.code === code || error.code === "ERR_START_CONNECT", `${error.code}: ${error.message}`);
    });
  }

  test("bad-address: the plugin is ended, and every call says why", async () => {
    const cmd = [binary("misbehave"), "bad-address"] as const;
    const client = new Client({ handshakeConfig, plugins: { greeter }, cmd, logger: nullLogger });
    const first = await client.client().catch((error: unknown) => error);
    const second = await client.client().catch((error: unknown) => error);
    assert(first instanceof StartError && first === second);
    assert.deepEqual(client.exitStatus, { code: null, signal: "SIGKILL" });
    await client.kill();
    assertGone(client);
  });

  test("accept-silent: the caller's own limit ends the wait, and kill ends the plugin", async () => {
    const cmd = [binary("misbehave"), "accept-silent"] as const;
    const client = new Client({ handshakeConfig, plugins: { greeter }, cmd, logger: nullLogger });
    await assert.rejects(client.ping({ timeout: 100 }), { code: "ERR_NETRPC_TIMEOUT" });
    await client.kill();
    assertGone(client);
  });
});

describe("a start that is called off", needs("misbehave"), () => {
  const config = () => ({
    handshakeConfig,
    plugins: { greeter },
    cmd: [binary("misbehave"), "nothing"] as const,
    logger: nullLogger,
  });

  test("by its signal", async () => {
    const client = new Client(config());
    const abort = new AbortController();
    const starting = client.start({ signal: abort.signal });
    setTimeout(() => abort.abort(new Error("enough")), 50);
    await assert.rejects(starting, { code: "ERR_ABORTED" });
    await client.kill();
    assertGone(client);
  });

  test("by kill", async () => {
    const client = new Client(config());
    const starting = client.start();
    const rejected = assert.rejects(starting, { code: "ERR_ABORTED" });
    await client.kill();
    await rejected;
    assertGone(client);
    await assert.rejects(client.start(), { code: "ERR_CLIENT_ENDED" });
  });
});

describe("odd but right handshakes", needs("misbehave"), () => {
  for (const mode of ["banner-stderr", "slow", "four-fields", "spaces", "extra"]) {
    test(mode, async () => {
      const cmd = [binary("misbehave"), mode] as const;
      const client = new Client({ handshakeConfig, plugins: { greeter }, cmd, logger: nullLogger });
      assert.equal(await (await client.dispense("greeter")).Greet(null), "Hello!");
      assert.equal(client.protocol, "netrpc");
      const pid = Number(client.id);
      await client.kill();
      assert.equal(isRunning(pid), false);
      assertGone(client);
    });
  }
});
