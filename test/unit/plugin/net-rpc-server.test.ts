import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import { controlMethods } from "../../../src/definition/control.js";
import type { PluginSet } from "../../../src/definition/plugin.js";
import { LEVELS, type Logger } from "../../../src/hclog/logger.js";
import { NetRpcProtocolClient } from "../../../src/host/net-rpc-client.js";
import { gob, type MuxBroker, netRpcPlugin } from "../../../src/index.js";
import { caller, RpcClient } from "../../../src/netrpc/index.js";
import { NetRpcServer } from "../../../src/plugin/net-rpc-server.js";
import { OutputQueue } from "../../../src/plugin/output-queue.js";
import { Session } from "../../../src/yamux/index.js";
import { Collector, until } from "../../interop/support.js";
import { listenPath } from "../../support.js";

const greeter = netRpcPlugin({ Greet: [gob.string, gob.string] });
const lame = netRpcPlugin({ Greet: [gob.string, gob.string], Leave: [gob.any, gob.any] });

let logged: string[] = [];
const logger = Object.fromEntries(
  LEVELS.map((level) => [level, (message: string) => logged.push(`${level}: ${message}`)]),
) as unknown as Logger;

const plugins: PluginSet = {
  greeter: greeter.implement({ Greet: (name) => `Hello, ${name}!` }),
  refusing: greeter.implement(() => {
    throw new Error("not today");
  }),
  // An implementation that lacks a method of its table.
  lame: lame.implement(() => ({ Greet: (name: string) => name }) as never),
};

const folder = mkdtempSync(join(tmpdir(), "goplug-net-rpc-"));
const path = listenPath(folder, "socket");
const listener = createServer();
let server: NetRpcServer;
let stdout: OutputQueue;
let quit: Promise<void>;
const sockets: Socket[] = [];

before(async () => {
  listener.listen(path);
  await once(listener, "listening");
});
after(() => {
  listener.close();
  // A test that fails must not keep the process alive by what it left open.
  for (const socket of sockets) socket.destroy();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  logged = [];
  quit = Promise.resolve();
  stdout = new OutputQueue(() => {});
  stdout.holding = false;
  const stderr = new OutputQueue(() => {});
  server = new NetRpcServer({ plugins, stdout, stderr, logger, onQuit: () => quit });
});

/** Connects and has the other end served; `served` resolves when the server is done with it. */
async function dial(): Promise<{ socket: Socket; served: Promise<void> }> {
  const accepted = once(listener, "connection") as Promise<[Socket]>;
  const socket = connect(path);
  const [other] = await accepted;
  sockets.push(socket, other);
  return { socket, served: server.serveConnection(other) };
}

async function host(syncStdout = new Collector()) {
  const { socket, served } = await dial();
  const client = await NetRpcProtocolClient.open(Session.client(socket), {
    plugins: { greeter, refusing: greeter, lame, nope: greeter },
    syncStdout,
  });
  return { client, served, syncStdout };
}

describe("NetRpcServer", () => {
  test("dispenses, and says why where it cannot", async () => {
    const { client, served } = await host();
    const g = await client.dispense("greeter");
    assert.equal(await g.Greet("you"), "Hello, you!");
    await assert.rejects(client.dispense("nope"), { message: "unknown plugin type: nope" });
    await assert.rejects(client.dispense("refusing"), { message: "not today" });
    await assert.rejects(client.dispense("lame"), { message: "implementation has no method Leave" });
    await client.ping();
    assert.equal(await g.Greet("again"), "Hello, again!");
    await client.quit();
    await served;
  });

  test("names from Object.prototype are no plugins", async () => {
    const { socket, served } = await dial();
    const session = Session.client(socket);
    const names = { constructor: greeter, toString: greeter } as unknown as PluginSet;
    const client = await NetRpcProtocolClient.open(session, { plugins: names });
    for (const name of Object.keys(names)) {
      await assert.rejects(client.dispense(name), { message: `unknown plugin type: ${name}` });
    }
    await session.close();
    await served;
  });

  test("answers Quit when what it waits for is done", async () => {
    let release!: () => void;
    quit = new Promise((resolve) => {
      release = resolve;
    });
    const { socket, served } = await dial();
    const session = Session.client(socket);
    const [control] = [await session.openChannel(), await session.openChannel(), await session.openChannel()];
    const { Ping, Quit } = caller(new RpcClient(control), "Control", controlMethods);
    let answered = false;
    const quitting = Quit(true).then(() => {
      answered = true;
    });
    await Ping(true);
    await Ping(true);
    assert.equal(answered, false);
    release();
    await quitting;
    await session.close();
    await served;
  });

  test("output that waits for a host that does not read goes on to the next when that one is gone", async () => {
    const deaf = await dial();
    const session = Session.client(deaf.socket);
    for (const _ of [1, 2, 3]) await session.openChannel();
    await until("the server counts it", () => server.openConnections === 1);
    // More than a stream's window, which nobody opens again.
    stdout.write(Buffer.alloc(1 << 20, "x"));
    stdout.write(Buffer.from("the rest"));
    const { client, served, syncStdout } = await host();
    deaf.socket.destroy();
    await until("the second host has the end of it", () => syncStdout.bytes.toString().endsWith("the rest"));
    // What the first host's window took, and the chunk that waited for more of it, went down with that host.
    const missing = (1 << 20) + "the rest".length - syncStdout.size;
    assert.ok(missing <= 262_144 + 65_536, `${missing} bytes went down`);
    await client.quit();
    await Promise.all([served, deaf.served]);
  });

  test("what the host's window does not take is still there when the process ends", async () => {
    const deaf = await dial();
    const session = Session.client(deaf.socket);
    for (const _ of [1, 2, 3]) await session.openChannel();
    await until("the server counts it", () => server.openConnections === 1);
    stdout.write(Buffer.alloc(1 << 20, "x"));
    await until("the window is full", () => stdout.length < (1 << 20) - 262_144);
    server.closeNow();
    stdout.reclaim();
    assert.ok(stdout.length >= (1 << 20) - 262_144, `${stdout.length} bytes are left`);
    deaf.socket.destroy();
    await deaf.served;
  });

  test("output goes to the connection that is there longest, then to the next", async () => {
    const [a, b] = [await host(), await host()];
    stdout.write(Buffer.from("first"));
    await until("the first host has it", () => a.syncStdout.size === 5);
    await a.client.quit();
    await a.served;
    stdout.write(Buffer.from("second"));
    await until("the second host has it", () => b.syncStdout.size === 6);
    assert.deepEqual([a.syncStdout.bytes.toString(), b.syncStdout.bytes.toString()], ["first", "second"]);
    await b.client.quit();
    await b.served;
  });

  test("counts the hosts that have opened their three streams", async () => {
    const silent = await dial();
    const half = await dial();
    const session = Session.client(half.socket);
    await session.openChannel();
    const { client, served } = await host();
    await client.ping();
    assert.equal(server.openConnections, 1);
    await client.quit();
    silent.socket.destroy();
    await session.close();
    await Promise.all([served, silent.served, half.served]);
    assert.equal(server.openConnections, 0);
    assert.equal(logged.filter((line) => line.includes("before its three streams were open")).length, 2);
  });

  test("a connection that breaks the protocol is closed and named in the log; others go on", async () => {
    const rightful = await host();
    const intruder = await dial();
    intruder.socket.on("error", () => {});
    intruder.socket.write(Buffer.alloc(4096, "x"));
    await intruder.served;
    const late = await dial();
    const session = Session.client(late.socket);
    for (const _ of [1, 2, 3]) await session.openChannel();
    await until("the server counts it", () => server.openConnections === 2);
    late.socket.write(Buffer.alloc(4096, "x"));
    await late.served;
    assert.ok(logged.includes("warn: plugin: connection lost"), logged.join("\n"));
    assert.equal(await (await rightful.client.dispense("greeter")).Greet("x"), "Hello, x!");
    await rightful.client.quit();
    await rightful.served;
  });

  test("close ends every connection, those without streams too", async () => {
    const connected = [await host(), await host()].map(({ served }) => served);
    const silent = await dial();
    await server.close();
    await Promise.all([...connected, silent.served]);
    assert.equal(server.openConnections, 0);
  });

  test("2,000 dispenses leave no streams behind", async () => {
    const { socket, served } = await dial();
    const session = Session.client(socket);
    // The face is the net/rpc client itself, so that it can be closed.
    const raw = {
      client: (_: MuxBroker, rpc: RpcClient) => rpc,
      server: () => assert.fail("a host serves nothing"),
    };
    const client = await NetRpcProtocolClient.open(session, { plugins: { greeter: raw } });
    for (let i = 0; i < 2000; i++) {
      const rpc = await client.dispense("greeter");
      assert.equal(await rpc.call("Plugin.Greet", gob.string, "n", gob.string), "Hello, n!");
      await rpc.close();
    }
    await until("all dispensed streams are closed", () => session.numStreams <= 3);
    await client.quit();
    await served;
  });
});
