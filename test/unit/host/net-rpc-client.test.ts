// The host's side of a net/rpc connection, against a plugin's side that the test plays.
import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { describe, type TestContext, test } from "node:test";
import { MuxBroker } from "../../../src/broker/mux-broker.js";
import {
  CONTROL_SERVICE,
  controlMethods,
  DISPENSER_SERVICE,
  dispenserMethods,
} from "../../../src/definition/control.js";
import { netRpcPlugin } from "../../../src/definition/net-rpc-plugin.js";
import * as gob from "../../../src/gob/index.js";
import { type NetRpcClientOptions, NetRpcProtocolClient } from "../../../src/host/net-rpc-client.js";
import { type Receiver, RpcServer } from "../../../src/netrpc/index.js";
import { delay, pipePair, sessions, until } from "../yamux/support.js";

const methods = { Hello: [gob.any, gob.string] } as const;
const hello = netRpcPlugin(methods);
const picky = netRpcPlugin(methods, {
  client() {
    throw new Error("not on this host");
  },
});
const plugins = { hello, picky };

interface Overrides {
  control?: Partial<Receiver<typeof controlMethods>>;
  dispense?: (name: string, broker: MuxBroker) => number | Promise<number>;
}

async function connected(
  t: TestContext,
  options: Partial<NetRpcClientOptions<typeof plugins>> = {},
  { control, dispense }: Overrides = {},
) {
  const [a, b] = pipePair();
  const { client: session, server } = sessions(t, [a, b]);
  const opening = NetRpcProtocolClient.open(session, { plugins, ...options });
  const [first, stdout, stderr] = [
    await server.acceptChannel(),
    await server.acceptChannel(),
    await server.acceptChannel(),
  ];
  const broker = new MuxBroker(server);
  let quits = 0;
  const rpc = new RpcServer()
    .register(CONTROL_SERVICE, controlMethods, {
      Ping: () => ({}),
      Quit() {
        quits++;
        for (const channel of [stdout, stderr]) channel.end();
        return {};
      },
      ...control,
    })
    .register(DISPENSER_SERVICE, dispenserMethods, {
      Dispense: (name) =>
        dispense?.(name, broker) ?? broker.serve(methods, { Hello: () => `hello from ${name}` }),
    });
  void rpc.serve(first);
  for (const channel of [stdout, stderr]) channel.attach({ onData() {}, onEnd() {}, onClose() {} });
  return { client: await opening, session, server, stdout, stderr, pipe: b, quits: () => quits };
}

describe("dispense", () => {
  test("dials what the plugin serves", async (t) => {
    const { client } = await connected(t);
    assert.equal(await (await client.dispense("hello")).Hello(null), "hello from hello");
    await client.ping();
  });

  test("of a name that the host does not know asks nobody", async (t) => {
    let asked = 0;
    const { client } = await connected(t, {}, { dispense: () => ++asked });
    for (const name of ["stranger", "toString", "__proto__"]) {
      await assert.rejects(client.dispense(name as "hello"), {
        code: "ERR_UNKNOWN_PLUGIN",
        message: `unknown plugin type: ${name} (the host knows: hello, picky)`,
      });
    }
    assert.equal(asked, 0);
  });

  test("whose face cannot be made closes its stream again", async (t) => {
    const { client, server } = await connected(t);
    const before = server.numStreams;
    await assert.rejects(client.dispense("picky"), { message: "not on this host" });
    await until(() => server.numStreams === before, "the end of the stream");
    await client.ping();
  });

  test("of a plugin that answers and then serves nothing gives up", async (t) => {
    let id = 99;
    const { client } = await connected(t, {}, { dispense: () => id++ });
    await assert.rejects(client.dispense("hello", { timeout: 50 }), { code: "ERR_BROKER_TIMEOUT" });
    await assert.rejects(client.dispense("hello", { signal: AbortSignal.timeout(50) }), {
      code: "ERR_ABORTED",
    });
    await client.ping();
  });

  test("is told by onLost what became of the connection, at whatever step it breaks", async (t) => {
    const told: string[] = [];
    const onLost = async (error: Error): Promise<Error> => {
      told.push(error.constructor.name);
      return new Error("the plugin has exited");
    };
    for (const when of ["asked", "dialled"]) {
      const { client, server } = await connected(
        t,
        { onLost },
        {
          async dispense() {
            if (when === "asked") void server.close();
            else void delay(20).then(() => server.close());
            return when === "asked" ? new Promise<number>(() => {}) : 99;
          },
        },
      );
      await assert.rejects(client.dispense("hello"), { message: "the plugin has exited" });
    }
    assert(told.every((name) => name === "ConnectionLostError"));
  });
});

describe("close", () => {
  test("asks once, reads the synced streams out, and ends the session", async (t) => {
    let out = "";
    const syncStdout = new Writable({
      write(chunk: Buffer, _encoding, done) {
        out += chunk;
        setImmediate(done);
      },
    });
    const connection = await connected(
      t,
      { syncStdout },
      {
        control: {
          Quit() {
            connection.stdout.write(Buffer.from("last words"));
            connection.stdout.end();
            connection.stderr.end();
            return {};
          },
        },
      },
    );
    await connection.client.quit();
    assert.equal(out, "last words");
    assert.equal(connection.session.state, "closed");
    await connection.client.closed;
    await assert.rejects(connection.client.ping(), { code: "ERR_NETRPC_SHUTDOWN" });
  });

  test("of a plugin that does not answer rejects in its time", async (t) => {
    const { client, session } = await connected(t, {}, { control: { Quit: () => new Promise(() => {}) } });
    await assert.rejects(client.quit({ timeout: 30 }), { code: "ERR_NETRPC_TIMEOUT" });
    await until(() => session.state === "closed", "the end of the session");
  });

  test("does not wait for output that nobody takes, nor for what cannot be written", async (t) => {
    const { client, stdout, pipe } = await connected(t, { syncStdout: new Writable({ write() {} }) });
    stdout.write(Buffer.alloc(200_000));
    await delay(20);
    const started = performance.now();
    await client.quit();
    assert(performance.now() - started < 5000);
    assert.equal(pipe.destroyed || pipe.readableEnded, true);
  });
});

test("the synced streams go no faster than their writers", async (t) => {
  const waiting: (() => void)[] = [];
  let taken = 0;
  const syncStdout = new Writable({
    highWaterMark: 1024,
    write(chunk: Buffer, _encoding, done) {
      taken += chunk.length;
      waiting.push(done);
    },
  });
  const { stdout, client } = await connected(t, { syncStdout });
  let room = true;
  for (let i = 0; i < 64 && room; i++) room = stdout.write(Buffer.alloc(65_536));
  await delay(20);
  assert(taken + syncStdout.writableLength <= 3 * 262_144, `${taken}`);
  await client.ping();
  const pump = setInterval(() => {
    for (const done of waiting.splice(0)) done();
  }, 1);
  t.after(() => clearInterval(pump));
  await until(() => taken >= 262_144, "all of the output");
});
