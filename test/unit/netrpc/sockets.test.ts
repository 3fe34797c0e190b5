// net/rpc over real sockets and yamux: peers that do not read, and the ends of connections.
import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { type TestContext, test } from "node:test";
import { type ByteChannel, caller, duplexChannel, RpcClient, RpcServer } from "../../../src/netrpc/index.js";
import { pipePair, sessions, tcpPair, unixPair, until } from "../yamux/support.js";
import { methods } from "./support.js";

type Pair = (t: TestContext) => Promise<[client: ByteChannel, server: ByteChannel, written: () => number]>;

const pairs: Readonly<Record<string, Pair>> = {
  async unix(t) {
    const [a, b] = await unixPair();
    t.after(() => [a, b].map((socket) => socket.destroy()));
    return [duplexChannel(a), duplexChannel(b), () => a.writableLength + b.writableLength];
  },
  async tcp(t) {
    const [a, b] = await tcpPair();
    t.after(() => [a, b].map((socket) => socket.destroy()));
    return [duplexChannel(a), duplexChannel(b), () => a.writableLength + b.writableLength];
  },
  async yamux(t) {
    const [a, b] = pipePair();
    const { client, server } = sessions(t, [a, b]);
    const [here, there] = [await client.openChannel(), await server.acceptChannel()];
    return [here, there, () => a.writableLength + b.writableLength];
  },
  async "yamux over a socket"(t) {
    const [a, b] = await unixPair();
    const { client, server } = sessions(t, [a, b]);
    const [here, there] = [await client.openChannel(), await server.acceptChannel()];
    return [here, there, () => a.writableLength + b.writableLength];
  },
};

const size = 65_536;
const count = 200;

function service(overrides: { Echo?: (bytes: Uint8Array) => Uint8Array } = {}): RpcServer {
  return new RpcServer().register("Test", methods, {
    Add: ({ A, B }) => A + B,
    Echo: (bytes) => bytes,
    Wait: () => new Promise<number>(() => {}),
    Nothing: () => null,
    ...overrides,
  });
}

for (const [name, pair] of Object.entries(pairs)) {
  test(`${name}: bytes that a caller changes after the call, or a handler after its return, arrive as they were`, async (t) => {
    const [here, there] = await pair(t);
    const reply = Buffer.alloc(1 << 20);
    const served = service({
      Echo(bytes) {
        reply.fill(bytes[0]! ^ bytes.at(-1)!);
        queueMicrotask(() => reply.fill(0xee));
        return reply;
      },
    }).serve(there);
    const client = new RpcClient(here);
    const rpc = caller(client, "Test", methods);
    // Two at a time: neither may be written where the other still waits to be sent.
    for (let i = 1; i <= 8; i += 2) {
      const [first, second] = [i, i + 1].map((value) => Buffer.alloc(1 << 20, value).fill(0, 0, 1));
      const calls = [rpc.Echo(first!)];
      first!.fill(0xff);
      // It is encoded once the first is through: its argument must be left alone until then.
      calls.push(rpc.Echo(second!));
      for (const [at, bytes] of (await Promise.all(calls)).entries())
        assert(Buffer.alloc(1 << 20, i + at).equals(bytes));
    }
    await client.close();
    await served;
  });

  test(`${name}: calls to a peer that does not read wait unencoded, and all come through when it does`, async (t) => {
    const [here, there, written] = await pair(t);
    const client = new RpcClient(here);
    const rpc = caller(client, "Test", methods);
    const calls = Array.from({ length: count }, (_, i) => rpc.Echo(Buffer.alloc(size, i)));
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(client.pending, count);
    assert(written() < 4 << 20, `${written()} bytes are queued`);
    const served = service().serve(there);
    for (const [i, reply] of (await Promise.all(calls)).entries()) {
      assert.equal(reply.length, size);
      assert.equal(reply[0], i & 0xff);
    }
    assert.equal(client.pending, 0);
    await client.close();
    await served;
  });

  test(`${name}: a client that does not read its answers is not read from for ever`, async (t) => {
    const [here, there, written] = await pair(t);
    const client = new RpcClient(here);
    const rpc = caller(client, "Test", methods);
    let handled = 0;
    const server = service({
      Echo(bytes) {
        handled++;
        return bytes;
      },
    });
    const limited = new RpcServer({ maxUnansweredBytes: 1 << 20 });
    limited.find = (method) => server.find(method);
    const served = limited.serve(there);
    here.pause();
    const calls = Array.from({ length: count }, (_, i) => rpc.Echo(Buffer.alloc(size, i)));
    let last = -1;
    while (handled !== last) {
      last = handled;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert(handled < 120, `${handled} calls were handled`);
    assert(written() < 8 << 20, `${written()} bytes are queued`);
    here.resume();
    assert.equal((await Promise.all(calls)).length, count);
    assert.equal(handled, count);
    await client.close();
    await served;
  });

  test(`${name}: a peer that vanishes ends pending calls, and the calls' contexts`, async (t) => {
    const [here, there] = await pair(t);
    const rpc = caller(new RpcClient(here), "Test", methods);
    let gone = false;
    const server = new RpcServer().register(
      "Test",
      { Wait: methods.Wait },
      {
        Wait: (_n, { signal }) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener("abort", () => {
              gone = true;
              reject(new Error("nobody waits"));
            });
          }),
      },
    );
    const served = server.serve(there);
    const calls = [1, 2, 3].map((n) => rpc.Wait(n));
    for (const call of calls) call.catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 20));
    there.destroy();
    for (const call of calls) await assert.rejects(call, { code: "ERR_NETRPC_CONNECTION_LOST" });
    await served;
    await until(() => gone, "the signal of the handler");
  });

  test(`${name}: closing with calls in flight leaves nothing running`, async (t) => {
    const [here, there] = await pair(t);
    const client = new RpcClient(here);
    const served = service().serve(there);
    const rpc = caller(client, "Test", methods);
    const hanging = Array.from({ length: 10 }, () => rpc.Wait(1));
    const refused = hanging.map((call) => assert.rejects(call, { code: "ERR_NETRPC_SHUTDOWN" }));
    assert.equal(await rpc.Add({ A: 1, B: 2 }), 3);
    await client.close();
    await Promise.all([...refused, served]);
    assert.equal(client.pending, 0);
  });
}

test("a connection that was over before: calls fail at once, and a server is done", async () => {
  for (const error of [undefined, new Error("reset by whom?")]) {
    const gone = new PassThrough();
    gone.on("error", () => {}).destroy(error);
    await until(() => gone.closed, "closed");
    const client = new RpcClient(gone);
    await client.closed;
    await assert.rejects(caller(client, "Test", methods).Echo(Buffer.alloc(1)), {
      code: "ERR_NETRPC_SHUTDOWN",
    });
    await new RpcServer().serve(gone);
  }
});
