// Errors say what to do: each message of a failed start names the option or the line that is wrong.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Client, type ClientConfig, gob, nullLogger } from "../../../src/index.js";
import { caller, RpcClient, RpcServer } from "../../../src/netrpc/index.js";
import { connectionPair } from "../../../src/testing/index.js";
import { binary } from "../../interop/case.js";
import { greeter, handshakeConfig } from "../../interop/support.js";
import { needs } from "../../support.js";

async function failure(config: Partial<ClientConfig>, wait: "start" | "ping" = "start"): Promise<Error> {
  const client = new Client({
    handshakeConfig,
    plugins: { greeter },
    logger: nullLogger,
    // What a plugin has made that is killed before its handshake goes with the folder.
    unixSocketConfig: {},
    ...config,
  } as never);
  try {
    await client[wait]();
  } catch (error) {
    return error as Error;
  } finally {
    await client.kill();
  }
  return assert.fail("it started");
}

const shell = (script: string) => ({ cmd: ["sh", "-c", script] as const });

describe("a Go plugin", needs("greeter-netrpc", "kv-grpc", "misbehave"), () => {
  test("that gets another cookie: the message names the cookie and its options", async () => {
    const wrong = { ...handshakeConfig, magicCookieKey: "OTHER_PLUGIN" };
    const { message } = await failure({ cmd: [binary("greeter-netrpc")], handshakeConfig: wrong });
    assert.match(message, /has not found its cookie: handshakeConfig's magicCookieKey \(OTHER_PLUGIN\)/);
    assert.match(message, /This binary is a plugin/);
  });

  test("of the other protocol: the message names allowedProtocols", async () => {
    const { message } = await failure({ cmd: [binary("kv-grpc")] });
    assert.match(
      message,
      /unsupported plugin protocol "grpc"\. Supported: \[netrpc\]\n.* in allowedProtocols/,
    );
  });

  test("of another version: the message names protocolVersion and versionedPlugins", async () => {
    const { message } = await failure({ cmd: [binary("misbehave"), "app"] });
    assert.match(message, /\nhandshakeConfig\.protocolVersion, or a key of versionedPlugins/);
  });

  test("with noise before the handshake: the message says where it may come from, and goplug/capture", async () => {
    const { message } = await failure({ cmd: [binary("misbehave"), "banner"] });
    assert.match(message, /Banner of a careless library\n.*dotenv\) must go to stderr.*goplug\/capture/);
  });
});

describe("a start that times out", { skip: process.platform === "win32" }, () => {
  test("while its debugger listens: the message says so", async () => {
    const script = "echo 'Debugger listening on ws://127.0.0.1:9229/x' >&2; exec sleep 60";
    const { message } = await failure({ ...shell(script), startTimeout: 2000 });
    assert.match(message, /Its debugger was listening:.*startTimeout of Infinity.*--inspect-brk/s);
  });

  test("with --inspect-brk in NODE_OPTIONS: the message says so", async () => {
    const env = { NODE_OPTIONS: "--enable-source-maps --inspect-brk=0" };
    const cmd = { path: "sleep", args: ["60"], env };
    assert.match((await failure({ cmd, startTimeout: 100 })).message, /Its debugger was listening/);
  });

  test("without a debugger: nothing of one is said", async () => {
    const { message } = await failure({ ...shell("exec sleep 60"), startTimeout: 100 });
    assert.doesNotMatch(message, /ebugger/);
  });
});

test("a value of an unregistered type: the message names gob.registry.register", () => {
  const secret = gob.struct({ A: gob.int }, { name: "main.Secret" });
  assert.throws(() => gob.encode(gob.any, gob.value(secret, { A: 1 }), { registry: new gob.Registry() }), {
    code: "ERR_GOB_UNREGISTERED",
    message: /not registered for interface: .*gob\.registry\.register\(schema\)/,
  });
});

test("an error of a call shows where it was called", async () => {
  const methods = { Fail: [gob.int, gob.int], Hang: [gob.int, gob.int] } as const;
  const server = new RpcServer();
  server.register("Test", methods, {
    Fail: () => {
      throw new Error("refused");
    },
    Hang: () => new Promise<never>(() => {}),
  });
  const [near, far] = await connectionPair();
  void server.serve(far);
  const client = new RpcClient(near);
  const rpc = caller(client, "Test", methods);
  async function theCallingFunction(method: "Fail" | "Hang"): Promise<void> {
    await rpc[method](1, { timeout: method === "Hang" ? 5 : 10_000 });
  }
  for (const [method, name] of [
    ["Fail", "RemoteError"],
    ["Hang", "CallTimeoutError"],
  ] as const) {
    const error = await theCallingFunction(method).catch((thrown: Error) => thrown);
    assert(error instanceof Error && error.name === name);
    assert.match(error.stack!, /^\w+: (?:refused|Test\.Hang).*\n(?:.*\n)*?.* at async theCallingFunction /);
    assert(
      error.stack!.includes(
        fileURLToPath(import.meta.url)
          .split("/")
          .at(-1)!,
      ),
    );
  }
  await client.close();
});

test("without @grpc/grpc-js a plugin over that transport fails with a code of its own, before its start where that is certain", {
  skip: process.platform === "win32",
}, () => {
  const script = fileURLToPath(new URL("without-grpc-js.ts", import.meta.url));
  const { stdout } = spawnSync(process.execPath, ["--import", "tsx", script], {
    encoding: "utf8",
    timeout: 60_000,
  });
  const ends = ["not started", "not started", "ended"];
  assert.equal(stdout, ends.map((end) => `ERR_GRPC_MISSING ${end}\n`).join(""));
});
