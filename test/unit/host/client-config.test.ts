import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { startTimeoutOf } from "../../../src/host/config.js";
import type { ClientConfig } from "../../../src/index.js";
import { Client, nullLogger } from "../../../src/index.js";
import { binary } from "../../interop/case.js";
import { greeter, handshakeConfig, kv, withClient } from "../../interop/support.js";
import { needs } from "../../support.js";

const base = { handshakeConfig, plugins: { greeter }, cmd: ["plugin"] as const, logger: nullLogger };

describe("a configuration that cannot work is refused before anything is started", () => {
  const reattach = { address: { network: "unix", address: "/s" }, pid: 1 } as const;
  for (const [what, config, message] of [
    ["no plugins", { ...base, plugins: undefined }, "plugins or versionedPlugins must be given"],
    ["nothing to start", { ...base, cmd: undefined }, /exactly one of cmd, or reattach, or runner/],
    ["a command and a reattachment", { ...base, reattach }, /exactly one of cmd, or reattach, or runner/],
    ["a log buffer of half a byte", { ...base, pluginLogBufferSize: 0.5 }, /pluginLogBufferSize/],
    ["a log buffer of less than nothing", { ...base, pluginLogBufferSize: -1 }, /pluginLogBufferSize/],
    ["a log buffer of no number", { ...base, pluginLogBufferSize: Number.NaN }, /pluginLogBufferSize/],
    ["a log buffer without end", { ...base, pluginLogBufferSize: Infinity }, /pluginLogBufferSize/],
  ] as const) {
    test(what, () => {
      assert.throws(() => new Client(config as unknown as ClientConfig), { code: "ERR_OPTION", message });
    });
  }
});

describe("a configuration for which there was no compiler", () => {
  const reattach = { address: { network: "unix", address: "/s" }, pid: 1 };
  const { handshakeConfig: _, ...flat } = { ...base, ...handshakeConfig };
  const { cmd: __, ...attached } = base;
  for (const [what, config, option, message] of [
    ["none at all", undefined, "the configuration", /must be an object, not undefined$/],
    ["a flattened handshake", flat, "handshakeConfig", /handshakeConfig is missing: .* belong into it/],
    [
      "no handshake",
      { ...base, handshakeConfig: undefined },
      "handshakeConfig",
      /must be an object of magicCookieKey/,
    ],
    [
      "no cookie",
      { ...base, handshakeConfig: { protocolVersion: 1 } },
      "handshakeConfig.magicCookieKey",
      /not undefined$/,
    ],
    [
      "a command as text",
      { ...base, cmd: "./plugin --x" },
      "cmd",
      /a list, .* or an object, .*, not "\.\/plugin --x"$/,
    ],
    ["an empty command", { ...base, cmd: [] }, "cmd", /begins with the executable/],
    ["a number among the arguments", { ...base, cmd: ["./plugin", 5] }, "cmd", /a list of texts/],
    ["a command without a path", { ...base, cmd: { args: [] } }, "cmd.path", /not undefined$/],
    ["arguments as text", { ...base, cmd: { path: "p", args: "-v" } }, "cmd.args", /a list of texts/],
    ["plugins as a list", { ...base, plugins: [greeter] }, "plugins", /by their names, not an array$/],
    [
      "a plugin that is none",
      { ...base, plugins: { greeter: {} } },
      "plugins.greeter",
      /as netRpcPlugin\(\)/,
    ],
    ["versions as a list", { ...base, versionedPlugins: [] }, "versionedPlugins", /by their version/],
    [
      "a version that is none",
      { ...base, versionedPlugins: { v1: {} } },
      "a key of versionedPlugins",
      /not "v1"$/,
    ],
    [
      "gRPC in other letters",
      { ...base, allowedProtocols: ["gRPC"] },
      "allowedProtocols[0]",
      /"netrpc" or "grpc", not "gRPC"$/,
    ],
    ["a protocol as text", { ...base, allowedProtocols: "grpc" }, "allowedProtocols", /a list of/],
    ["no protocol", { ...base, allowedProtocols: [] }, "allowedProtocols", /a list of/],
    [
      "a writer that is none",
      { ...base, syncStdout: "log.txt" },
      "syncStdout",
      /a Writable, such as process.stdout/,
    ],
    [
      "a logger that is none",
      { ...base, logger: { info() {} } },
      "logger",
      /without trace, debug, warn, error$/,
    ],
    ["a truth as text", { ...base, autoMTLS: "true" }, "autoMTLS", /true or false, not "true"$/],
    [
      "an option in other letters",
      { ...base, autoMtls: true },
      "autoMtls",
      /there is no option autoMtls; it is called autoMTLS$/,
    ],
    ["one in Go's letters", { ...base, Managed: true }, "Managed", /it is called managed$/],
    ["a time that is none", { ...base, startTimeout: "60s" }, "startTimeout", /a number of milliseconds/],
    ["a negative time", { ...base, startTimeout: -1 }, "startTimeout", /0 or above, not -1$/],
    ["a port that is none", { ...base, minPort: 70_000 }, "minPort", /from 0 to 65535, not 70000$/],
    ["ports in the wrong order", { ...base, minPort: 6, maxPort: 5 }, "minPort", /are 6 and 5$/],
    ["a low port alone, above the default", { ...base, minPort: 30_000 }, "minPort", /30000 and 25000$/],
    ["a runner that is none", { ...base, runner: {} }, "runner", /a function/],
    [
      "a folder that is none",
      { ...base, unixSocketConfig: { tempDir: 5 } },
      "unixSocketConfig.tempDir",
      /a text/,
    ],
    ["no address", { ...attached, reattach: { pid: 5 } }, "reattach.address", /network and address/],
    [
      "a network that is none",
      { ...attached, reattach: { ...reattach, address: { network: "udp", address: "x" } } },
      "reattach.address.network",
      /"unix" or "tcp"/,
    ],
    [
      "a port beyond all",
      { ...attached, reattach: { ...reattach, address: { network: "tcp", address: "h:99999" } } },
      "reattach.address.address",
      /host:port, not "h:99999"$/,
    ],
    [
      "a version of half",
      { ...attached, reattach: { ...reattach, protocolVersion: 0.5 } },
      "reattach.protocolVersion",
      /a whole number/,
    ],
    [
      "no process",
      { ...attached, reattach: { address: reattach.address } },
      "reattach",
      /needs a pid or a runner/,
    ],
  ] as const) {
    test(what, () => {
      assert.throws(() => new Client(config as unknown as ClientConfig), {
        code: "ERR_OPTION",
        option,
        message,
      });
    });
  }

  test("what is right is taken, undefined among it", () => {
    for (const config of [
      { ...base, startTimeout: 0, unansweredWarning: Infinity, stderr: undefined, logger: console },
      { ...base, cmd: { path: "p", args: ["-v"], env: { A: undefined, B: "1" }, cwd: "/" } },
      { ...base, plugins: undefined, versionedPlugins: { 2: { greeter } }, minPort: 0, maxPort: 0 },
      { ...attached, reattach: { ...reattach, protocol: "grpc", startTime: "5", test: true } },
      { ...attached, reattach: { address: { network: "tcp", address: "[::1]:80" }, runner: () => {} } },
    ]) {
      new Client(config as unknown as ClientConfig);
    }
  });
});

describe("log buffers of any size", needs("kv-netrpc"), () => {
  for (const [size, expected] of [
    [0, ["0123456789"]],
    [4, ["0123", "4567", "89"]],
    [1, [..."0123456789"]],
  ] as const) {
    test(`${size}`, async () => {
      const lines: string[] = [];
      const keep = (message: string): void => void lines.push(message);
      const logger = { trace: keep, debug: keep, info: keep, warn: keep, error: keep };
      const config = {
        plugins: { kv },
        cmd: [binary("kv-netrpc")] as const,
        logger,
        pluginLogBufferSize: size,
      };
      await withClient(config, async (client) => {
        const store = await client.dispense("kv");
        lines.length = 0;
        await store.RawStderr("0123456789\n");
        await client.kill();
      });
      const at = lines.indexOf(expected[0]!);
      assert.deepEqual(lines.slice(at, at + expected.length), expected);
    });
  }
});

describe("a client that has not been started", () => {
  test("knows nothing yet, and can be killed", async () => {
    const client = new Client(base);
    assert.equal(client.id, "");
    assert.equal(client.pid, undefined);
    assert.equal(client.exited, false);
    assert.equal(client.exitStatus, undefined);
    assert.equal(client.negotiatedVersion, undefined);
    assert.equal(client.protocol, undefined);
    assert.equal(client.address, undefined);
    assert.equal(await client.reattachConfig(), undefined);
    await client.kill();
    await client.kill();
  });

  test("of a name that is not in its set is not started for it", async () => {
    const client = new Client({ ...base, cmd: ["goplug-no-such-command"] });
    await assert.rejects(client.dispense("greeter"), { code: "ERR_PLUGIN_NOT_FOUND" });
    await assert.rejects(client.dispense("greeter"), { code: "ERR_PLUGIN_NOT_FOUND" });
  });
});

test("the limit of the start: a minute, the user's own, or none under a debugger", () => {
  for (const [config, expected] of [
    [{}, 60_000],
    [{ startTimeout: 0 }, 60_000],
    [{ startTimeout: 5 }, 5],
    [{ startTimeout: Infinity }, Infinity],
    [{ debug: false }, 60_000],
    [{ debug: true }, Infinity],
    [{ debug: true, startTimeout: 5 }, 5],
  ] as const) {
    assert.equal(startTimeoutOf(config), expected);
  }
});
