// Go's own list of tests for net/rpc (net/rpc/server_test.go, client_test.go), by name, with client and server of this
// package over unix sockets. test/interop/rpc.cases.ts runs the calls of the list against Go itself.
// Left out: HTTP (go-plugin has no use for rpc's HTTP upgrade), the counts of allocations, benchmarks.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Duplex, duplexPair } from "node:stream";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import * as gob from "../../../src/gob/index.js";
import { caller, RpcClient, RpcServer } from "../../../src/netrpc/index.js";
import { request, response } from "../../../src/netrpc/messages.js";

const args = gob.struct({ A: gob.int, B: gob.int }, { name: "Args" });
const reply = gob.struct({ C: gob.int }, { name: "Reply" });

const arith = {
  Add: [args, reply],
  Mul: [args, reply],
  Div: [args, reply],
  String: [args, gob.string],
  Scan: [gob.string, reply],
  SleepMilli: [args, reply],
  Error: [args, reply],
} as const;
const embed = { Exported: [args, reply] } as const;
const builtin = {
  Map: [args, gob.map(gob.int, gob.int)],
  Slice: [args, gob.slice(gob.int)],
  Array: [args, gob.array(gob.int, 2)],
} as const;

function newServer(): RpcServer {
  return new RpcServer()
    .register("Arith", arith, {
      Add: ({ A, B }) => ({ C: A + B }),
      Mul: ({ A, B }) => ({ C: A * B }),
      Div({ A, B }) {
        if (B === 0) throw new Error("divide by zero");
        return { C: Math.trunc(A / B) };
      },
      String: ({ A, B }) => `${A}+${B}=${A + B}`,
      Scan: (text) => ({ C: Number.parseInt(text, 10) }),
      async SleepMilli({ A }) {
        await sleep(A);
        return { C: A };
      },
      Error() {
        throw new Error("ERROR");
      },
    })
    .register("Embed", embed, { Exported: ({ A, B }) => ({ C: A + B }) })
    .register("net.rpc.Arith", arith, newArith())
    .register("BuiltinTypes", builtin, {
      Map: ({ A, B }) => new Map([[A, B]]),
      Slice: ({ A, B }) => [A, B],
      Array: ({ A, B }) => [A, B],
    });
}

function newArith() {
  const refuse = (): never => {
    throw new Error("not here");
  };
  const add = ({ A, B }: { A: number; B: number }) => ({ C: A + B });
  return {
    ...{ Add: add, Mul: refuse, Div: refuse, String: refuse },
    ...{ Scan: refuse, SleepMilli: refuse, Error: refuse },
  };
}

/** A server on a unix socket, and a socket to it. Everything is gone when `use` has settled. */
async function onSocket(
  use: (parts: {
    socket: Socket;
    client: () => RpcClient;
    accepted: Socket[];
    served: Promise<void>[];
  }) => Promise<void>,
): Promise<void> {
  const rpc = newServer();
  const folder = mkdtempSync(join(tmpdir(), "goplug-rpc-"));
  const accepted: Socket[] = [];
  const served: Promise<void>[] = [];
  const server: Server = createServer({ allowHalfOpen: true }, (connection) => {
    accepted.push(connection);
    served.push(rpc.serve(connection));
  });
  try {
    server.listen(join(folder, "s"));
    await once(server, "listening");
    const socket = connect({ path: join(folder, "s"), allowHalfOpen: true });
    await once(socket, "connect");
    let made: RpcClient | undefined;
    const client = (): RpcClient => {
      made ??= new RpcClient(socket);
      return made;
    };
    try {
      await use({ socket, client, accepted, served });
    } finally {
      socket.destroy();
      await Promise.all(served);
    }
  } finally {
    server.close();
    rmSync(folder, { recursive: true });
  }
}

test("TestRPC", () =>
  onSocket(async ({ client: connected }) => {
    const client = connected();
    const rpc = caller(client, "Arith", arith);
    assert.deepEqual(await rpc.Add({ A: 7, B: 8 }), { C: 15 });
    assert.deepEqual(await caller(client, "Embed", embed).Exported({ A: 7, B: 8 }), { C: 15 });
    const plain = (method: string) => client.call(method, args, { A: 7, B: 0 }, reply);
    await assert.rejects(plain("Arith.BadOperation"), {
      message: "rpc: can't find method Arith.BadOperation",
    });
    await assert.rejects(plain("Arith.Unknown"), { message: "rpc: can't find method Arith.Unknown" });
    await assert.rejects(plain("Unknown.Add"), { message: "rpc: can't find service Unknown.Add" });
    // Out of order: the slow call is answered last.
    const order: string[] = [];
    await Promise.all([
      rpc.SleepMilli({ A: 100 }).then(() => order.push("sleep")),
      rpc.Mul({ A: 7, B: 8 }).then(({ C }) => order.push(`mul ${C}`)),
      rpc.Add({ A: 7, B: 8 }).then(({ C }) => order.push(`add ${C}`)),
    ]);
    assert.deepEqual(order, ["mul 56", "add 15", "sleep"]);
    await assert.rejects(rpc.Div({ A: 7, B: 0 }), { name: "RemoteError", message: "divide by zero" });
    // A wrong type of argument.
    await assert.rejects(client.call("Arith.Add", reply, { C: 7 }, reply), {
      message: /^gob: type mismatch/,
    });
    assert.equal(await rpc.String({ A: 7, B: 8 }), "7+8=15");
    assert.deepEqual(await rpc.Scan("15"), { C: 15 });
    await assert.rejects(rpc.Error({ A: 1, B: 2 }), { name: "RemoteError", message: "ERROR" });
    assert.deepEqual(await caller(client, "net.rpc.Arith", arith).Add({ A: 7, B: 8 }), { C: 15 });
  }));

test("TestBuiltinTypes", () =>
  onSocket(async ({ client }) => {
    const rpc = caller(client(), "BuiltinTypes", builtin);
    assert.deepEqual(await rpc.Map({ A: 7, B: 8 }), new Map([[7, 8]]));
    assert.deepEqual(await rpc.Slice({ A: 7, B: 8 }), [7, 8]);
    assert.deepEqual(await rpc.Array({ A: 7, B: 8 }), [7, 8]);
  }));

test("TestServeRequest", () =>
  onSocket(async ({ client }) => {
    const rpc = caller(client(), "Arith", arith);
    assert.deepEqual(await rpc.Add({ A: 7, B: 8 }), { C: 15 });
    // Go's nil *Args: a zero value.
    assert.deepEqual(await rpc.Add({}), { C: 0 });
  }));

test("TestRegistrationError", () => {
  const server = new RpcServer();
  const add = ({ A, B }: { A: number; B: number }) => ({ C: A + B });
  assert.throws(() => server.register("Bad", { Add: arith.Add }, {} as never), {
    code: "ERR_OPTION",
    message: "rpc.Register: Bad has no method Add",
  });
  assert.throws(() => server.register("Bad", { Add: arith.Add }, { Add: 5 } as never), {
    code: "ERR_OPTION",
  });
  assert.throws(() => server.register("", { Add: arith.Add }, { Add: add }), {
    message: "rpc.Register: no service name",
  });
  server.register("Good", { Add: arith.Add }, { Add: add });
  assert.throws(() => server.register("Good", { Add: arith.Add }, { Add: add }), {
    message: "rpc: service already defined: Good",
  });
  // What could not be registered is not there, in part or whole.
  assert.equal(server.find("Bad.Add"), "rpc: can't find service Bad.Add");
  assert.equal(typeof server.find("Good.Add"), "object");
});

/** A connection that nobody answers on, and that refuses to write. */
class WriteFails extends Duplex {
  override _read(): void {}
  override _write(_chunk: Buffer, _encoding: BufferEncoding, done: (error: Error) => void): void {
    done(new Error("fail"));
  }
}

test("TestSendDeadlock", async () => {
  const client = new RpcClient(new WriteFails());
  const rpc = caller(client, "Arith", arith);
  const calls = [rpc.Add({ A: 7, B: 8 }), rpc.Add({ A: 7, B: 8 })];
  for (const call of calls) await assert.rejects(call, { code: "ERR_NETRPC_CONNECTION_LOST" });
  await assert.rejects(rpc.Add({ A: 7, B: 8 }), { code: "ERR_NETRPC_SHUTDOWN" });
});

test("TestClientWriteError", async () => {
  const client = new RpcClient(new WriteFails());
  await assert.rejects(
    client.call("Foo.Hello", gob.bytes, Buffer.alloc(1 << 20), reply),
    (error: unknown) => {
      assert.equal(((error as Error).cause as Error).message, "fail");
      return true;
    },
  );
  await client.closed;
});

test("TestTCPClose", async () => {
  const served: Promise<void>[] = [];
  const server = createServer((socket) => served.push(newServer().serve(socket)));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const client = new RpcClient(connect(port, "127.0.0.1"));
  assert.deepEqual(await caller(client, "Arith", arith).Mul({ A: 17, B: 8 }), { C: 136 });
  await client.close();
  await Promise.all(served);
  server.close();
  await once(server, "close");
});

test("TestErrorAfterClientClose", () =>
  onSocket(async ({ client: connected }) => {
    const client = connected();
    await client.close();
    await assert.rejects(caller(client, "Arith", arith).Add({ A: 7, B: 9 }), {
      code: "ERR_NETRPC_SHUTDOWN",
      message: "connection is shut down",
    });
    // Go's second Close gives ErrShutdown; here it is no error.
    await client.close();
  }));

// A client that half-closes behind its call still gets the answer, and then the server's end.
test("TestShutdown", () =>
  onSocket(async ({ socket, served }) => {
    const encoder = new gob.Encoder();
    encoder.encode(request, { ServiceMethod: "Arith.SleepMilli", Seq: 0 });
    encoder.encode(args, { A: 50 });
    socket.end(encoder.take());
    const bytes: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => bytes.push(chunk));
    await once(socket, "end");
    await Promise.all(served);
    const decoder = new gob.Decoder();
    decoder.push(Buffer.concat(bytes));
    assert.deepEqual(decoder.decode(response), {
      ServiceMethod: "Arith.SleepMilli",
      Seq: 0,
      Error: Buffer.alloc(0),
    });
    assert.deepEqual(decoder.decode(reply), { C: 50 });
  }));

// Go's codec is closed when its peer hangs up; here: the server lets go of the connection.
test("TestCloseCodec", () =>
  onSocket(async ({ client: connected, accepted, served }) => {
    const client = connected();
    await caller(client, "Arith", arith).Add({ A: 1, B: 2 });
    await client.close();
    await Promise.all(served);
    assert.equal(accepted.length, 1);
    assert(accepted[0]!.destroyed);
  }));

test("TestGobError", async () => {
  const [here, there] = duplexPair();
  const client = new RpcClient(here);
  const call = client.call("S.Recv", args, {}, gob.bytes);
  const encoder = new gob.Encoder();
  encoder.encode(response, { ServiceMethod: "S.Recv", Seq: 0, Error: "" });
  encoder.encode(gob.bytes, Buffer.alloc(100));
  const whole = encoder.take();
  there.end(whole.subarray(0, whole.length - 50));
  await assert.rejects(call, {
    name: "BadReplyError",
    code: "ERR_NETRPC_BAD_REPLY",
    message: /^reading body unexpected EOF \(in the answer of \S+\)$/,
  });
  await client.closed;
});
