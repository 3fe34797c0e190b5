import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { afterEach, describe, test } from "node:test";
import { Client, type ClientConfig, gob, grpcPlugin, netRpcPlugin, nullLogger } from "../../../src/index.js";
import { patientConfig, resolveConfig } from "../../../src/yamux/config.js";
import { handshakeConfig as cookie, until } from "../../interop/support.js";
import { startChild } from "./run-child.js";

const handshakeConfig = { ...cookie, protocolVersion: 3 };
const greeter = netRpcPlugin({ Greet: [gob.any, gob.string] });
const empty = grpcPlugin({ client: () => "face", server: () => {} });
const base = { handshakeConfig, debug: true, logger: nullLogger, cmd: ["/nowhere"] as const };

afterEach(() => {
  delete process.env.GOPLUG_REATTACH;
});

/** Starts the plugin by hand, and waits for what it prints. */
async function byHand(protocol: string) {
  const { child, done } = startChild("debugged.ts", [protocol]);
  let printed = "";
  child.stderr!.on("data", (text: string) => {
    printed += text;
  });
  await until("the notice", () => printed.includes("Ctrl-C ends it."));
  const reattach = /export GOPLUG_REATTACH='(.*)'/.exec(printed)![1]!;
  return { child, done, reattach, printed };
}

describe("a plugin with debug: true that no host has started", { skip: process.platform === "win32" }, () => {
  for (const [protocol, name] of [
    ["netrpc", "greeter"],
    ["grpc", "empty"],
  ] as const) {
    test(`${protocol}: prints how to attach, hosts do, and it ends by Ctrl-C alone`, async () => {
      const { child, done, reattach, printed } = await byHand(protocol);
      process.env.GOPLUG_REATTACH = reattach;
      for (let host = 0; host < 2; host++) {
        const client = new Client({ ...base, autoMTLS: true, plugins: { greeter, empty } });
        const plugin = await client.dispense(name);
        if (typeof plugin !== "string") assert.equal(await plugin.Greet(null), `from ${child.pid}`);
        assert.equal(client.negotiatedVersion, 3);
        await client.kill();
      }
      assert.equal(child.exitCode, null, "a host's kill leaves it running");
      const { address } = JSON.parse(reattach) as { address: { network: string; address: string } };
      assert.deepEqual(JSON.parse(/^ {2}(\{"Protocol".*\})$/m.exec(printed)![1]!), {
        Protocol: protocol,
        ProtocolVersion: 3,
        Pid: child.pid,
        Test: true,
        Addr: { Network: "unix", String: address.address },
      });
      child.kill("SIGINT");
      assert.deepEqual(await done.then(({ code, signal }) => [code, signal]), [0, null]);
      assert.equal(existsSync(address.address), false);
    });
  }

  test("started by a host, it shakes hands as ever", async () => {
    const { child, done } = startChild("debugged.ts", ["netrpc"], { BASIC_PLUGIN: "hello" });
    let printed = "";
    child.stdout!.on("data", (text: string) => {
      printed += text;
    });
    await until("the handshake", () => printed.includes("\n"));
    assert.match(printed, /^1\|3\|unix\|/);
    child.kill("SIGTERM");
    assert.equal((await done).code, 0);
  });
});

describe("a host with debug: true", () => {
  test("without the variable starts its plugin, without a limit", async () => {
    const client = new Client({ ...base, plugins: { greeter } });
    await assert.rejects(client.start(), { code: "ERR_PLUGIN_NOT_FOUND" });
  });

  test("that is not debugged takes no notice of the variable", async () => {
    process.env.GOPLUG_REATTACH = "{}";
    const client = new Client({ ...base, plugins: { greeter }, debug: false });
    await assert.rejects(client.start(), { code: "ERR_PLUGIN_NOT_FOUND" });
  });

  test("with a plugin of its own to reattach to takes that one", async () => {
    process.env.GOPLUG_REATTACH = "no JSON";
    const reattach = { address: { network: "unix", address: "/s" }, pid: 2 ** 31 - 1 } as const;
    const { cmd: _, ...rest } = base;
    const client = new Client({ ...rest, plugins: { greeter }, reattach });
    await assert.rejects(client.start(), { code: "ERR_PROCESS_NOT_FOUND" });
  });

  for (const text of ["no JSON", "{}", '{"address":{"network":"unix","address":"/s"},"pid":-1}', "5"]) {
    test(`refuses ${text} by the variable's name`, () => {
      process.env.GOPLUG_REATTACH = text;
      assert.throws(() => new Client({ ...base, plugins: { greeter } } as ClientConfig), {
        code: "ERR_OPTION",
        option: "GOPLUG_REATTACH",
        message: /^GOPLUG_REATTACH cannot be used: /,
      });
    });
  }
});

test("a session under a debugger has no limit that a breakpoint could reach", () => {
  const { enableKeepAlive, connectionWriteTimeout, streamOpenTimeout, streamCloseTimeout } =
    resolveConfig(patientConfig);
  assert.deepEqual(
    { enableKeepAlive, connectionWriteTimeout, streamOpenTimeout, streamCloseTimeout },
    {
      enableKeepAlive: false,
      connectionWriteTimeout: 2 ** 31 - 1,
      streamOpenTimeout: 0,
      streamCloseTimeout: 0,
    },
  );
});
