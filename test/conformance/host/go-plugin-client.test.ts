// What go-plugin's client_test.go, client_posix_test.go, client_unix_test.go and rpc_client_test.go check of a host, by
// name, against Go plugins. Its gRPC tests, and those of TLS and secureConfig, stand with their own parts.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { levelledLogger, nullLogger } from "../../../src/hclog/logger.js";
import {
  Client,
  type ClientConfig,
  CommandRunner,
  cleanupClients,
  clientsKilled,
  type Fields,
  type Level,
  type Logger,
  ProcessNotFoundError,
  StartError,
} from "../../../src/index.js";
import { binary } from "../../interop/case.js";
import {
  assertGone,
  Collector,
  handshakeConfig,
  isRunning,
  kv,
  until,
  withClient,
} from "../../interop/support.js";
import { needs } from "../../support.js";

const folder = mkdtempSync(join(tmpdir(), "goplug-client-"));
after(() => rmSync(folder, { recursive: true }));

const kvCommand = (): [string] => [binary("kv-netrpc")];
const plugins = { kv };

interface Line {
  level: Level;
  name: string;
  message: string;
  fields: Fields;
}

/** A logger that keeps its lines. */
function keepingLogger(): { logger: Logger; lines: Line[] } {
  const lines: Line[] = [];
  const logger = levelledLogger("trace", "", (level, name, message, fields) => {
    lines.push({ level, name, message, fields });
  });
  return { logger, lines };
}

/** A plugin that a shell script plays: it prints what it is told. */
function script(name: string, body: string): [string] {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  return [path];
}

describe("client_test.go", needs("kv-netrpc", "misbehave", "versioned"), () => {
  test("TestClient", async () => {
    const client = new Client({ handshakeConfig, plugins, cmd: kvCommand(), logger: nullLogger });
    assert.equal(client.exited, false);
    assert.equal(client.id, "");
    await client.start();
    await client.start();
    assert.equal(client.address?.network, "unix");
    assert.equal(client.exited, false);
    assert.equal(client.pid, Number(client.id));
    await client.kill();
    assert.equal(client.exited, true);
    await assert.rejects(client.start(), { code: "ERR_CLIENT_ENDED" });
    assertGone(client);
  });

  test("TestClient_killStart", async () => {
    const cmd = { path: kvCommand()[0], env: { GOPLUG_FIXTURE: "hang-start" } };
    const client = new Client({ handshakeConfig, plugins, cmd, logger: nullLogger });
    const starting = assert.rejects(client.start(), { code: "ERR_ABORTED" });
    await Promise.all([client.kill(), client.kill()]);
    await starting;
    assertGone(client);
  });

  test("TestClient_testCleanup", async () => {
    const marker = join(folder, "marker");
    const cmd = { path: kvCommand()[0], env: { GOPLUG_FIXTURE_MARKER: marker } };
    await withClient({ plugins, cmd }, async (client) => {
      await client.client();
      await client.kill();
      assert.deepEqual(client.exitStatus, { code: 0, signal: null });
    });
    assert.equal(readFileSync(marker, "utf8"), "clean exit\n");
  });

  test("TestClient_noStdoutScannerRace", async () => {
    for (let i = 0; i < 20; i++) {
      const cmd = script("prints", "echo '1|1|tcp|127.0.0.1:1|netrpc|'; echo more; exit 0");
      const client = new Client({ handshakeConfig, plugins, cmd, logger: nullLogger });
      await client.start();
      await until("the end of the script", () => client.exited);
      await client.kill();
    }
  });

  test("TestClient_testInterface", () =>
    withClient({ plugins, cmd: kvCommand() }, async (client) => {
      const store = await client.dispense("kv");
      await store.Put({ key: "k", value: Buffer.from("v") });
      assert.equal((await store.Get("k")).toString(), "v");
      await client.kill();
      assert.deepEqual(client.exitStatus, { code: 0, signal: null });
    }));

  test("TestClient_cmdAndReattach", () => {
    const reattach = { address: { network: "unix", address: "/x" }, pid: 1 } as const;
    const text = { code: "ERR_OPTION", message: /exactly one of cmd, or reattach, or runner must be set/ };
    assert.throws(() => new Client({ handshakeConfig, plugins, cmd: kvCommand(), reattach }), text);
    assert.throws(() => new Client({ handshakeConfig, plugins }), text);
    assert.throws(
      () => new Client({ handshakeConfig, plugins, reattach, runner: () => new CommandRunner(never) }),
      text,
    );
  });

  test("TestClient_secureConfigAndReattach", () => {
    const reattach = { address: { network: "unix", address: "/x" }, pid: 1 } as const;
    const secureConfig = { checksum: "00", hash: "sha256" };
    assert.throws(() => new Client({ handshakeConfig, plugins, reattach, secureConfig }), {
      code: "ERR_OPTION",
      message: "only one of reattach or secureConfig can be set",
    });
  });

  for (const protocol of ["netrpc", undefined] as const) {
    test(protocol === undefined ? "TestClient_reattachNoProtocol" : "TestClient_reattach", () =>
      withClient({ plugins, cmd: kvCommand() }, async (first) => {
        await (await first.dispense("kv")).Put({ key: "k", value: Buffer.from("kept") });
        const { protocol: _, ...config } = (await first.reattachConfig())!;
        const reattach = protocol === undefined ? config : { ...config, protocol };
        const second = new Client({ handshakeConfig, plugins, reattach, logger: nullLogger });
        const store = await second.dispense("kv");
        assert.equal((await store.Get("k")).toString(), "kept");
        assert.equal(await store.Pid(null), first.pid);
        assert.equal(second.pid, first.pid);
        assert.equal(second.negotiatedVersion, 1);
        await second.kill();
        assert.equal(second.exited, true);
        await until("the first client to notice", () => first.exited);
        assert.deepEqual(first.exitStatus, { code: 0, signal: null });
      }),
    );
  }

  test("TestClient_reattachNotFound", async () => {
    const gone = spawn("true");
    await once(gone, "exit");
    const address = { network: "unix", address: join(folder, "no-socket") } as const;
    for (const pid of [gone.pid!, process.pid]) {
      const client = new Client({ handshakeConfig, plugins, reattach: { pid, address }, logger: nullLogger });
      await assert.rejects(client.client(), (error: unknown) => {
        assert(error instanceof ProcessNotFoundError);
        assert.equal(error.code, "ERR_PROCESS_NOT_FOUND");
        assert.match(error.message, /^reattachment process not found/);
        return true;
      });
      await client.kill();
    }
  });

  test("a pid that is another process's by now is neither attached to nor killed", async () => {
    await withClient({ plugins, cmd: kvCommand() }, async (first) => {
      await first.start();
      const bystander = spawn("sleep", ["60"]);
      try {
        await once(bystander, "spawn");
        const reattach = { ...(await first.reattachConfig())!, pid: bystander.pid! };
        const second = new Client({ handshakeConfig, plugins, reattach, logger: nullLogger });
        await assert.rejects(second.client(), ProcessNotFoundError);
        await second.kill();
        assert.equal(isRunning(bystander.pid!), true);
      } finally {
        bystander.kill();
      }
    });
  });

  test("TestClientStart_badVersion", async () => {
    await startError(
      { cmd: script("bad-version", "echo '1|2|tcp|:1234'; exec sleep 60"), plugins },
      /incompatible API version with plugin\. Plugin version: 2, Client versions: \[1\]/,
    );
  });

  test("TestClientStart_badNegotiatedVersion", async () => {
    await startError(
      { cmd: kvCommand(), versionedPlugins: { 3: plugins, 2: plugins } },
      /incompatible API version with plugin\. Plugin version: 1, Client versions: \[2 3\]/,
      { magicCookieKey: handshakeConfig.magicCookieKey, magicCookieValue: handshakeConfig.magicCookieValue },
    );
  });

  test("TestClient_Start_Timeout", async () => {
    const config = { cmd: [binary("misbehave"), "nothing"] as const, plugins, startTimeout: 50 };
    await startError(config, /^timeout while waiting for plugin to start/);
  });

  test("TestClient_Stderr", async () => {
    const stderr = new Collector();
    const cmd = script("stderr", "echo 'HELLO' >&2; echo 'WORLD' >&2; printf 'no newline' >&2; exit 1");
    await startError({ cmd, plugins, stderr }, /exited with code 1/);
    assert.equal(stderr.bytes.toString(), "HELLO\nWORLD\nno newline");
  });

  test("TestClient_StderrJSON, TestClient_logStderrParseJSON", async () => {
    const { logger, lines } = keepingLogger();
    const stderr = new Collector();
    const json =
      '{"@level":"warn","@message":"hot","@timestamp":"2026-01-02T03:04:05.000006Z","@module":"m","t":99}';
    const cmd = script("json", `echo '${json}' >&2; echo '{"a": 1}' >&2; exit 1`);
    await startError({ cmd, plugins, stderr, logger }, /exited with code 1/);
    const own = lines.filter(({ name }) => name === "json");
    assert.deepEqual(own[0]!.level, "warn");
    assert.deepEqual(own[0]!.message, "hot");
    assert.deepEqual(own[0]!.fields, { t: 99, "@module": "m", timestamp: "2026-01-02T03:04:05.000006Z" });
    assert.deepEqual([own[1]!.level, own[1]!.message], ["debug", '{"a": 1}']);
    assert.equal(stderr.bytes.toString(), `${json}\n{"a": 1}\n`);
  });

  test("TestClient_textLogLevel", async () => {
    const { logger, lines } = keepingLogger();
    const levels = ["trace", "debug", "info", "warn", "error"];
    const prints = levels.map((level) => `echo '[${level.toUpperCase()}] a line' >&2`).join("\n");
    await startError(
      { cmd: script("levels", `${prints}\necho plain >&2\nexit 1`), plugins, logger },
      /exited/,
    );
    const own = lines.filter(({ name }) => name === "levels").map(({ level }) => level);
    assert.deepEqual(own, [...levels, "debug"]);
  });

  test("TestClient_logStderr: a line of more than the buffer comes in pieces", async () => {
    const { logger, lines } = keepingLogger();
    const stderr = new Collector();
    const long = "0123456789".repeat(10);
    const cmd = script("long", `echo ${long} >&2; echo short >&2; exit 1`);
    await startError({ cmd, plugins, logger, stderr, pluginLogBufferSize: 64 }, /exited/);
    const own = lines.filter(({ name }) => name === "long").map(({ message }) => message);
    assert.deepEqual(own, [long.slice(0, 64), long.slice(64), "short"]);
    assert.equal(stderr.bytes.toString(), `${long}\nshort\n`);
  });

  test("TestServerLogPanic", async () => {
    const { logger, lines } = keepingLogger();
    await withClient({ plugins, cmd: kvCommand(), logger }, async (client) => {
      const store = await client.dispense("kv");
      await assert.rejects(store.Crash("at last"), /it panicked:\npanic: at last/);
    });
    const at = lines.findIndex(({ message }) => message.startsWith("panic: at last"));
    assert(at >= 0);
    const trace = lines.slice(at).filter(({ name }) => name === "kv-netrpc");
    assert(trace.length > 3);
    assert(trace.every(({ level }) => level === "error"));
  });

  test("TestClient_logger: the plugin's lines under the host's name, levels and pairs kept", async () => {
    const { logger, lines } = keepingLogger();
    await withClient({ plugins, cmd: kvCommand(), logger }, async (client) => {
      await (await client.dispense("kv")).LogAll("through the host");
      await until("five lines", () => lines.filter((l) => l.message === "through the host").length === 5);
    });
    const own = lines.filter(({ message }) => message === "through the host");
    assert.deepEqual(
      own.map(({ level, name, fields }) => [level, name, fields["@module"], fields.method, fields.n]),
      ["trace", "debug", "info", "warn", "error"].map((level, n) => [level, "kv-netrpc", "kv", "LogAll", n]),
    );
  });

  test("TestClient_Stdin: the plugin has the host's stdin", async () => {
    const host = spawn(process.execPath, ["--import", "tsx", "test/conformance/host/stdin-host.ts"], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const printed = new Collector();
    host.stdout.pipe(printed);
    host.stdin.end("hello from far away\n");
    await once(host, "close");
    assert.equal(printed.bytes.toString(), "hello from far away\n");
  });

  test("TestClient_SkipHostEnv", async () => {
    process.env.GOPLUG_TEST_HOST = "the host's";
    try {
      for (const [skipHostEnv, expected] of [
        [false, "the host's"],
        [true, ""],
      ] as const) {
        const cmd = { path: kvCommand()[0], env: { OWN: "own" } };
        await withClient({ plugins, cmd, skipHostEnv }, async (client) => {
          const store = await client.dispense("kv");
          assert.equal(await store.Env("GOPLUG_TEST_HOST"), expected);
          assert.equal(await store.Env("OWN"), "own");
          assert.equal(await store.Env("PLUGIN_PROTOCOL_VERSIONS"), "1");
          assert.equal(await store.Env("BASIC_PLUGIN"), "hello");
        });
      }
    } finally {
      delete process.env.GOPLUG_TEST_HOST;
    }
  });

  test("the host's own variables for the plugin win over its environment", async () => {
    process.env.GOPLUG_TEST_BOTH = "the host's";
    try {
      const cmd = {
        path: kvCommand()[0],
        env: { GOPLUG_TEST_BOTH: "the plugin's", PLUGIN_PROTOCOL_VERSIONS: "9" },
      };
      await withClient({ plugins, cmd }, async (client) => {
        const store = await client.dispense("kv");
        assert.equal(await store.Env("GOPLUG_TEST_BOTH"), "the plugin's");
        assert.equal(await store.Env("PLUGIN_PROTOCOL_VERSIONS"), "1");
      });
    } finally {
      delete process.env.GOPLUG_TEST_BOTH;
    }
  });

  test("what a host was told as some other host's plugin is not passed on", async () => {
    const told = {
      PLUGIN_CLIENT_CERT: "a certificate",
      PLUGIN_UNIX_SOCKET_DIR: "/no/such/folder",
      PLUGIN_UNIX_SOCKET_GROUP: "no such group",
      PLUGIN_MULTIPLEX_GRPC: "true",
    };
    Object.assign(process.env, told);
    try {
      await withClient({ plugins, cmd: kvCommand() }, async (client) => {
        const store = await client.dispense("kv");
        for (const name of Object.keys(told)) assert.equal(await store.Env(name), "");
      });
    } finally {
      for (const name of Object.keys(told)) delete process.env[name];
    }
  });

  test("TestClient_ping", () =>
    withClient({ plugins, cmd: kvCommand() }, async (client) => {
      await client.ping();
      const connection = await client.client();
      await client.kill();
      await assert.rejects(connection.ping(), { code: "ERR_NETRPC_SHUTDOWN" });
    }));

  test("TestClient_wrongVersion", () =>
    startError({ cmd: [binary("misbehave"), "app"], plugins }, /Plugin version: 99, Client versions: \[1\]/));

  test("TestClient_legacyClient: a host of one version gets it from a plugin of several", () =>
    withVersions({ handshakeConfig: { ...cookie, protocolVersion: 2 }, plugins }, 2));

  test("TestClient_legacyServer: a plugin of one version, a host of several", () =>
    withClient({ cmd: kvCommand(), versionedPlugins: { 1: plugins, 2: plugins } }, async (client) => {
      await (await client.dispense("kv")).Put({ key: "k", value: Buffer.from("v") });
      assert.equal(client.negotiatedVersion, 1);
    }));

  test("TestClient_versionedClient: the highest common version's set is the one dispensed from", () =>
    withVersions({ handshakeConfig: cookie, versionedPlugins: { 2: plugins, 4: {} as typeof plugins } }, 2));

  test("managed clients end with CleanupClients", async () => {
    const make = () =>
      new Client({ handshakeConfig, plugins, cmd: kvCommand(), managed: true, logger: nullLogger });
    const clients = [make(), make(), make()];
    await Promise.all(clients.map((client) => client.ping()));
    const unmanaged = new Client({ handshakeConfig, plugins, cmd: kvCommand(), logger: nullLogger });
    await unmanaged.ping();
    assert.equal(clientsKilled(), false);
    await cleanupClients();
    assert.equal(clientsKilled(), true);
    for (const client of clients) {
      assert.deepEqual(client.exitStatus, { code: 0, signal: null });
      assertGone(client);
    }
    assert.equal(unmanaged.exited, false);
    await unmanaged.kill();
  });
});

describe("client_posix_test.go and client_unix_test.go", needs("kv-netrpc"), () => {
  test("TestClient_testInterfaceReattach: a host in another process attaches", async () => {
    await withClient({ plugins, cmd: kvCommand() }, async (first) => {
      await (await first.dispense("kv")).Put({ key: "k", value: Buffer.from("from afar") });
      const config = JSON.stringify(await first.reattachConfig());
      const args = ["--import", "tsx", "test/conformance/host/reattach-host.ts", config];
      const other = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
      const printed = new Collector();
      other.stdout.pipe(printed);
      await once(other, "close");
      assert.equal(printed.bytes.toString(), "from afar\n");
      await until("the plugin's end by the other host", () => first.exited);
    });
  });

  test("TestSetGroup: the socket is in a private folder of the host's, and the group may connect", async () => {
    const group = String(process.getgid!());
    const tempDir = join(folder, "sockets");
    await import("node:fs/promises").then(({ mkdir }) => mkdir(tempDir));
    await withClient({ plugins, cmd: kvCommand(), unixSocketConfig: { group, tempDir } }, async (client) => {
      await client.ping();
      const { address } = client.address!;
      const home = join(address, "..");
      assert(home.startsWith(join(tempDir, "plugin-dir")), address);
      assert.equal(statSync(home).mode & 0o777, 0o770);
      assert.equal(statSync(address).mode & 0o777, 0o660);
      await client.kill();
      assert.throws(() => statSync(home), { code: "ENOENT" });
    });
    await withClient({ plugins, cmd: kvCommand(), unixSocketConfig: {} }, async (client) => {
      await client.ping();
      const home = join(client.address!.address, "..");
      assert.equal(statSync(home).mode & 0o777, 0o700);
    });
    const config = { plugins, cmd: kvCommand(), unixSocketConfig: { group: "no such group" } };
    const client = new Client({ handshakeConfig, logger: nullLogger, ...config });
    await assert.rejects(client.start(), {
      code: "ERR_SOCKET_GROUP",
      message: 'failed to find gid from "no such group"',
    });
  });

  test("a custom runner launches the plugin, and its folder is removed", async () => {
    let socketDir = "";
    const config = {
      plugins,
      cmd: kvCommand(),
      runner: (command: ConstructorParameters<typeof CommandRunner>[0], context: { socketDir: string }) => {
        ({ socketDir } = context);
        assert.equal(command.env.PLUGIN_UNIX_SOCKET_DIR, socketDir);
        assert.equal(statSync(socketDir).mode & 0o777, 0o700);
        return new CommandRunner(command);
      },
    };
    await withClient(config, async (client) => {
      const store = await client.dispense("kv");
      assert.equal(await store.Env("PLUGIN_UNIX_SOCKET_DIR"), socketDir);
      assert.equal(client.pid, undefined);
      assert.notEqual(client.id, "");
    });
    assert.throws(() => statSync(socketDir), { code: "ENOENT" });
  });
});

describe("rpc_client_test.go", needs("kv-netrpc"), () => {
  test("TestClient_App: unknown plugins", () =>
    withClient({ plugins, cmd: kvCommand() }, async (client) => {
      await assert.rejects((client as unknown as Client).dispense("foo"), { code: "ERR_UNKNOWN_PLUGIN" });
      assert.equal((await (await client.dispense("kv")).Echo(Buffer.from("x"))).toString(), "x");
    }));

  test("TestClient_syncStreams", async () => {
    const [syncStdout, syncStderr] = [new Collector(), new Collector()];
    await withClient({ plugins, cmd: kvCommand(), syncStdout, syncStderr }, async (client) => {
      const store = await client.dispense("kv");
      await store.Print("stdouttest");
      await store.PrintErr("stderrtest");
      await until("both texts", () => syncStdout.size === 10 && syncStderr.size === 10);
    });
    assert.equal(syncStdout.bytes.toString(), "stdouttest");
    assert.equal(syncStderr.bytes.toString(), "stderrtest");
  });
});

const never = { path: "/bin/false", args: [], env: {}, cwd: undefined };
const cookie = {
  magicCookieKey: handshakeConfig.magicCookieKey,
  magicCookieValue: handshakeConfig.magicCookieValue,
};

async function startError(
  config: Omit<ClientConfig<typeof plugins>, "handshakeConfig">,
  message: RegExp,
  handshake: ClientConfig["handshakeConfig"] = handshakeConfig,
): Promise<void> {
  const client = new Client({ logger: nullLogger, ...config, handshakeConfig: handshake });
  await assert.rejects(client.start(), (error: unknown) => {
    assert(error instanceof StartError, String(error));
    assert.match(error.message, message);
    return true;
  });
  await client.kill();
  assertGone(client);
}

/** The plugin serves net/rpc in version 2 and gRPC in version 3. */
async function withVersions(
  config: Pick<ClientConfig<typeof plugins>, "handshakeConfig" | "plugins" | "versionedPlugins">,
  version: number,
): Promise<void> {
  const client = new Client<typeof plugins>({ cmd: [binary("versioned")], logger: nullLogger, ...config });
  try {
    const store = await client.dispense("kv");
    assert.equal(client.negotiatedVersion, version);
    await store.Put({ key: "k", value: Buffer.from("v") });
    assert.equal((await store.Get("k")).toString(), `v (${version})`);
  } finally {
    await client.kill();
    assertGone(client);
  }
}
