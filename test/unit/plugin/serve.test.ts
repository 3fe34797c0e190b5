import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Client, gob, netRpcPlugin, nullLogger } from "../../../src/index.js";
import { Collector, handshakeConfig, until } from "../../interop/support.js";
import { startChild } from "./run-child.js";

const echo = netRpcPlugin({ Echo: [gob.string, gob.string] });
const script = fileURLToPath(new URL("children/serve.ts", import.meta.url));

/** Starts the plugin as a host does, runs `use`, and kills the plugin whatever happened. */
async function withPlugin(
  how: string,
  use: (parts: {
    client: Client<{ echo: typeof echo }>;
    stdout: Collector;
    stderr: Collector;
    raw: Collector;
  }) => Promise<void>,
  env: Record<string, string> = {},
  versions?: number[],
): Promise<void> {
  const [stdout, stderr, raw] = [new Collector(), new Collector(), new Collector()];
  const sets = Object.fromEntries((versions ?? []).map((version) => [version, { echo }]));
  const client = new Client({
    handshakeConfig,
    ...(versions === undefined ? { plugins: { echo } } : { versionedPlugins: sets }),
    cmd: {
      path: process.execPath,
      args: ["--import", import.meta.resolve("tsx"), script],
      env: { GOPLUG_TEST: how, ...env },
    },
    logger: nullLogger,
    syncStdout: stdout,
    syncStderr: stderr,
    stderr: raw,
  });
  try {
    await use({ client, stdout, stderr, raw });
  } finally {
    await client.kill();
  }
}

/** The exit code, once the process has ended. */
async function ended(client: Client<{ echo: typeof echo }>): Promise<number | null | undefined> {
  await until("the plugin has ended", () => client.exited);
  return client.exitStatus?.code;
}

describe("serve", () => {
  test("gives the host what is printed before and after, and nothing of it to the log", async () => {
    await withPlugin("plain", async ({ client, stdout, stderr, raw }) => {
      const e = await client.dispense("echo");
      assert.equal(await e.Echo("one"), "one from version 1");
      await client.kill();
      assert.equal(stdout.bytes.toString(), "early stdout\none on stdout\n");
      assert.equal(stderr.bytes.toString(), "one on stderr\n");
      assert.doesNotMatch(raw.bytes.toString(), /on std/);
    });
  });

  test("ends the process although timers are left, and with exit: false returns instead", async () => {
    await withPlugin("plain", async ({ client, raw }) => {
      await client.dispense("echo");
      await client.kill();
      assert.equal(await ended(client), 0);
      assert.doesNotMatch(raw.bytes.toString(), /has returned/);
    });
    await withPlugin("stay", async ({ client, raw }) => {
      await client.dispense("echo");
      await client.kill();
      assert.equal(await ended(client), 5);
      assert.match(raw.bytes.toString(), /"serve has returned".*"serve-test"/);
    });
  });

  test("stops when its signal fires", async () => {
    await withPlugin("plain", async ({ client, stdout }) => {
      const e = await client.dispense("echo");
      await e.Echo("abort").catch(() => {});
      assert.equal(await ended(client), 0);
      assert.match(stdout.bytes.toString(), /abort on stdout\n$/);
    });
  });

  test("serves the highest version that the host has", async () => {
    await withPlugin(
      "versioned",
      async ({ client }) => assert.equal(await (await client.dispense("echo")).Echo("v"), "v from version 2"),
      {},
      [1, 2, 3],
    );
    await withPlugin(
      "versioned",
      async ({ client }) => assert.equal(await (await client.dispense("echo")).Echo("v"), "v from version 5"),
      {},
      [2, 5],
    );
  });

  test("what is printed just before process.exit or an exception gets to the host", async () => {
    for (const [text, code] of [
      ["exit", 7],
      ["throw", 1],
    ] as const) {
      await withPlugin("plain", async ({ client, stdout, stderr, raw }) => {
        const e = await client.dispense("echo");
        const { address } = client.address!;
        await assert.rejects(e.Echo(text));
        assert.equal(await ended(client), code);
        await until("the output is there", () => stdout.bytes.toString().endsWith(`${text} on stdout\n`));
        assert.equal(stderr.bytes.toString(), `${text} on stderr\n`);
        if (text === "throw") assert.match(raw.bytes.toString(), /Error: thrown by the plugin/);
        assert.equal(existsSync(address), false);
      });
    }
  });

  test("traces of the library's frames go to the log, not over the connection that they trace", async () => {
    await withPlugin(
      "plain",
      async ({ client, stderr, raw }) => {
        const e = await client.dispense("echo");
        await e.Echo("traced");
        await client.kill();
        assert.equal(stderr.bytes.toString(), "traced on stderr\n");
        assert.match(raw.bytes.toString(), /goplug:yamux/);
      },
      { DEBUG: "goplug:*" },
    );
  });

  test("a second call is refused, and the first goes on", async () => {
    await withPlugin("twice", async ({ client, raw }) => {
      assert.equal(await (await client.dispense("echo")).Echo("still"), "still from version 1");
      assert.match(raw.bytes.toString(), /ERR_SERVE_TWICE/);
    });
  });
});

describe("serve that cannot start", () => {
  const env = { BASIC_PLUGIN: "hello", PLUGIN_MIN_PORT: "10000", PLUGIN_MAX_PORT: "25000" };

  test("without a host: go-plugin's words, exit code 1, held output as it was printed", async () => {
    const { code, stdout, stderr } = await startChild("serve.ts").done;
    assert.deepEqual([code, stdout], [1, "early stdout\n"]);
    assert.match(stderr, /^This binary is a plugin\. These are not meant to be executed directly\.\n/);
  });

  test("without plugins: an error that says so", async () => {
    const { code, stdout, stderr } = await startChild("serve.ts", [], { ...env, GOPLUG_TEST: "empty" }).done;
    assert.deepEqual([code, stdout], [1, "early stdout\n"]);
    assert.match(stderr, /ServeError: serve needs plugins or versionedPlugins/);
  });

  test("without a place for its socket: a log line and exit code 1, or a typed error with exit: false", async () => {
    const long = `/tmp/${"x".repeat(120)}`;
    const plain = await startChild("serve.ts", [], { ...env, PLUGIN_UNIX_SOCKET_DIR: long }).done;
    assert.deepEqual([plain.code, plain.stdout], [1, "early stdout\n"]);
    assert.match(
      plain.stderr,
      /"@level":"error","@message":"plugin init error".*has \d+ bytes, and the system allows \d+/,
    );
    const settings = { ...env, PLUGIN_UNIX_SOCKET_DIR: long, GOPLUG_TEST: "long-path" };
    const caught = await startChild("serve.ts", [], settings).done;
    assert.equal(caught.code, 4);
    assert.match(caught.stderr, /caught SocketError ERR_SOCKET_PATH/);
  });

  test("with a certificate that is none: a log line and exit code 1", async () => {
    const { code, stderr } = await startChild("serve.ts", [], { ...env, PLUGIN_CLIENT_CERT: "none" }).done;
    assert.equal(code, 1);
    assert.match(stderr, /"@message":"plugin tls init"/);
  });

  test("with nobody who reads the handshake: exit, not a hang", async () => {
    const { child, done } = startChild("serve.ts", [], env);
    child.stdout!.destroy();
    const { code, stderr } = await done;
    assert.equal(code, 1);
    assert.match(stderr, /ERR_SERVE_HANDSHAKE|handshake line could not be written/);
  });
});
