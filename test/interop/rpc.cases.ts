// goplug/netrpc alone, against plain Go net/rpc programs: our client on Go's server, Go's client on our server.
import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import * as gob from "../../src/gob/index.js";
import { type Caller, caller, RpcClient, RpcServer } from "../../src/netrpc/index.js";
import { binary, type Case } from "./case.js";
import { arithMethods, builtinTypesMethods, embedMethods } from "./services.js";
import { pattern } from "./support.js";

type Network = "unix" | "tcp";
type Arith = Caller<typeof arithMethods>;

/** Starts rpcpeer as a server, connects, and stops it afterwards. */
async function onGoServer(
  args: string[],
  use: (client: RpcClient, socket: Socket) => Promise<void>,
): Promise<void> {
  const server = spawn(binary("rpcpeer"), args, { stdio: ["ignore", "pipe", "inherit"] });
  try {
    const [line] = (await once(server.stdout!, "data")) as [Buffer];
    const [, network, address] = line.toString().trim().split(" ");
    const socket =
      network === "unix" ? connect(address!) : connect(Number(address!.split(":").at(-1)), "127.0.0.1");
    await once(socket, "connect");
    const client = new RpcClient(socket);
    try {
      await use(client, socket);
    } finally {
      await client.close();
    }
  } finally {
    await stop(server);
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGTERM");
  await once(child, "exit");
}

function onArith(
  network: Network,
  feature: string,
  use: (arith: Arith, client: RpcClient) => Promise<void>,
): Case {
  return {
    name: `ts->go net/rpc ${network} ${feature}`,
    needs: ["rpcpeer"],
    run: () =>
      onGoServer(["serve", "-network", network], (client) =>
        use(caller(client, "Arith", arithMethods), client),
      ),
  };
}

function remote(message: string | RegExp) {
  return { name: "RemoteError", message };
}

function onBoth(network: Network): Case[] {
  return [
    onArith(network, "calls", async (arith, client) => {
      assert.deepEqual(await arith.Add({ A: 7, B: 8 }), { C: 15 });
      assert.deepEqual(await arith.Mul({ A: -7, B: 8 }), { C: -56 });
      assert.deepEqual(await arith.Add({}), { C: 0 });
      assert.equal(await arith.String({ A: 3, B: 4 }), "3+4=7");
      assert.deepEqual(await arith.Scan("12"), { C: 12 });
      assert.equal(await arith.Nothing(null), null);
      assert.deepEqual(await caller(client, "net.rpc.Arith", arithMethods).Add({ A: 1, B: 2 }), { C: 3 });
      assert.deepEqual(await caller(client, "Embed", embedMethods).Exported({ A: 1, B: 2 }), { C: 3 });
    }),
    onArith(network, "builtin types", async (_, client) => {
      const builtin = caller(client, "BuiltinTypes", builtinTypesMethods);
      assert.deepEqual(await builtin.Map({ A: 7, B: 8 }), new Map([[7, 8]]));
      assert.deepEqual(await builtin.Slice({ A: 7, B: 8 }), [7, 8]);
      assert.deepEqual(await builtin.Array({ A: 7, B: 8 }), [7, 8]);
    }),
    onArith(
      network,
      "1,000 calls given up: Go's server does not know what that is, and goes on",
      async (arith, client) => {
        await assert.rejects(
          client.call("Goplug.Cancel", gob.uint, 5, gob.emptyStruct),
          remote("rpc: can't find service Goplug.Cancel"),
        );
        const abort = new AbortController();
        const given = Array.from({ length: 1000 }, () =>
          arith.SleepMilli({ A: 50 }, { signal: abort.signal }),
        );
        const all = Promise.allSettled(given);
        setTimeout(() => abort.abort(), 20);
        assert.ok((await all).every(({ status }) => status === "rejected"));
        assert.deepEqual(await arith.SleepMilli({ A: 100 }), { C: 100 });
        assert.deepEqual(await arith.Add({ A: 1, B: 2 }), { C: 3 });
        assert.equal(client.pending, 0);
      },
    ),
    onArith(network, "errors", async (arith, client) => {
      await assert.rejects(arith.Div({ A: 1, B: 0 }), remote("divide by zero"));
      await assert.rejects(arith.Scan("no number"), remote(/./));
      await assert.rejects(arith.Fail("ümläüt ".repeat(1000)), remote("ümläüt ".repeat(1000)));
      // Bytes that are no text: what can be read of them, and the connection lives.
      const bytes = Buffer.from("caf\xe9 is closed", "latin1");
      const [, failReply] = arithMethods.Fail;
      await assert.rejects(
        client.call("Arith.Fail", gob.rawString, bytes, failReply),
        remote("caf\ufffd is closed"),
      );
      assert.deepEqual(await arith.Add({ A: 1, B: 2 }), { C: 3 });
      const { Add } = arithMethods;
      const call = (name: string) => client.call(name, Add[0], { A: 1, B: 2 }, Add[1]);
      await assert.rejects(call("Arith.BadOperation"), remote("rpc: can't find method Arith.BadOperation"));
      await assert.rejects(call("Arith.add"), remote("rpc: can't find method Arith.add"));
      await assert.rejects(call("Arith.Unknown.Add"), remote("rpc: can't find service Arith.Unknown.Add"));
      await assert.rejects(call("Add"), remote("rpc: service/method request ill-formed: Add"));
      await assert.rejects(
        client.call("Arith.Add", arithMethods.Scan[0], "x", Add[1]),
        remote(/^gob: type mismatch/),
      );
      assert.deepEqual(await arith.Add({ A: 7, B: 8 }), { C: 15 });
    }),
    onArith(
      network,
      "unknown methods with nil interfaces, which Go's server cannot discard",
      async (arith, client) => {
        const shapes: [gob.AnySchema, unknown][] = [
          [gob.any, null],
          [gob.slice(gob.any), [null]],
          [gob.slice(gob.any), ["x", null]],
          [gob.map(gob.string, gob.any), new Map([["a", null]])],
        ];
        for (const [schema, value] of shapes) {
          const call = (name: string) => client.call(name, schema, value as never, gob.any);
          await assert.rejects(call("Arith.Missing"), remote("rpc: can't find method Arith.Missing"));
          await assert.rejects(call("Missing.Add"), remote("rpc: can't find service Missing.Add"));
          await assert.rejects(call("Add"), remote("rpc: service/method request ill-formed: Add"));
          assert.deepEqual(await arith.Add({ A: 7, B: 8 }), { C: 15 });
        }
        assert.equal(await arith.Nothing(null), null);
      },
    ),
    onArith(network, "answers out of order", async (arith) => {
      const order: string[] = [];
      await Promise.all([
        arith.SleepMilli({ A: 200 }).then(() => order.push("slow")),
        arith.Add({ A: 1 }).then(() => order.push("fast")),
      ]);
      assert.deepEqual(order, ["fast", "slow"]);
    }),
    onArith(network, "64 in flight, 10,000 calls", async (arith) => {
      let next = 0;
      const worker = async (): Promise<void> => {
        for (let n = next++; n < 10_000; n = next++) assert.equal((await arith.Add({ A: n, B: 1 })).C, n + 1);
      };
      await Promise.all(Array.from({ length: 64 }, worker));
    }),
    onArith(network, "echo of 0 bytes to 16 MiB, many at once", async (arith) => {
      const sizes = [0, 1, 63, 64, 127, 128, 4095, 65_536, 262_144, 1 << 20, 16 << 20];
      const echo = async (size: number): Promise<void> => {
        assert.equal(Buffer.compare(await arith.Echo(pattern(size)), pattern(size)), 0);
      };
      for (const size of sizes) await echo(size);
      await Promise.all(sizes.map(echo));
    }),
    onArith(network, "calls after close", async (arith, client) => {
      const pending = assert.rejects(arith.SleepMilli({ A: 60_000 }), { code: "ERR_NETRPC_SHUTDOWN" });
      await sleep(20);
      await client.close();
      await pending;
      await assert.rejects(arith.Add({}), {
        code: "ERR_NETRPC_SHUTDOWN",
        message: "connection is shut down",
      });
      await client.close();
    }),
  ];
}

const two = { A: 1, B: 1 };

/** Servers that answer oddly, and what must come of three calls in a row. */
const odd: [mode: string, check: (arith: Arith) => Promise<void>][] = [
  ...["plain", "unknown-seq", "unknown-seq-error", "twice", "wrong-method", "trickle"].map(
    (mode): [string, (arith: Arith) => Promise<void>] => [
      mode,
      async (arith) => {
        for (let i = 0; i < 3; i++) assert.deepEqual(await arith.Add({ A: i, B: 1 }), { C: i + 1 });
      },
    ],
  ),
  ...["error-with-body", "empty-error-body"].map((mode): [string, (arith: Arith) => Promise<void>] => [
    mode,
    async (arith) => {
      for (let i = 0; i < 3; i++) await assert.rejects(arith.Add(two), remote("odd error"));
    },
  ]),
  ...["close-at-once", "half-header", "header-only", "half-body"].map(
    (mode): [string, (arith: Arith) => Promise<void>] => [
      mode,
      async (arith) => {
        await assert.rejects(arith.Add(two), { message: /unexpected EOF/ });
        await assert.rejects(arith.Add(two), { code: "ERR_NETRPC_SHUTDOWN" });
      },
    ],
  ),
  [
    // A body that does not fit costs its own call; Go's client would shut down.
    "wrong-body",
    async (arith) => {
      for (let i = 0; i < 3; i++) await assert.rejects(arith.Add(two), { code: "ERR_NETRPC_BAD_REPLY" });
    },
  ],
  ...["garbage", "huge-length"].map((mode): [string, (arith: Arith) => Promise<void>] => [
    mode,
    async (arith) => {
      const calls = [arith.Add(two), arith.Add(two)];
      for (const call of calls) await assert.rejects(call, { code: "ERR_NETRPC_BAD_REPLY" });
      await assert.rejects(arith.Add(two), { code: "ERR_NETRPC_SHUTDOWN" });
    },
  ]),
  [
    "close-in-call",
    async (arith) => {
      const calls = [arith.Add(two), arith.Add(two), arith.Add(two)];
      for (const call of calls) await assert.rejects(call, { code: "ERR_NETRPC_CONNECTION_LOST" });
    },
  ],
  [
    "reversed",
    async (arith) => {
      const calls = Array.from({ length: 10 }, (_, i) => arith.Add({ A: i, B: 1 }));
      assert.deepEqual(
        (await Promise.all(calls)).map(({ C }) => C),
        calls.map((_, i) => i + 1),
      );
    },
  ],
  [
    "silent",
    async (arith) => {
      await assert.rejects(arith.Add(two, { timeout: 50 }), { code: "ERR_NETRPC_TIMEOUT" });
      await assert.rejects(arith.Add(two, { signal: AbortSignal.timeout(50) }), { code: "ERR_ABORTED" });
    },
  ],
];

/** rpcpeer's services in TypeScript. */
function arithServer(): RpcServer {
  const server = new RpcServer();
  for (const name of ["Arith", "net.rpc.Arith", "newServer.Arith"]) {
    server.register(name, arithMethods, {
      Add: ({ A, B }) => ({ C: A + B }),
      Mul: ({ A, B }) => ({ C: A * B }),
      Div({ A, B }) {
        if (B === 0) throw new Error("divide by zero");
        return { C: Math.trunc(A / B) };
      },
      String: ({ A, B }) => `${A}+${B}=${A + B}`,
      Scan(text) {
        if (!/^-?\d+$/.test(text)) throw new Error("expected integer");
        return { C: Number(text) };
      },
      async SleepMilli({ A }) {
        await sleep(A);
        return { C: A };
      },
      Error() {
        throw new Error("ERROR");
      },
      Fail(text) {
        throw new Error(text);
      },
      Echo: (bytes) => bytes,
      Nothing: () => null,
    });
  }
  server.register("Embed", embedMethods, { Exported: ({ A, B }) => ({ C: A + B }) });
  return server.register("BuiltinTypes", builtinTypesMethods, {
    Map: ({ A, B }) => new Map([[A, B]]),
    Slice: ({ A, B }) => [A, B],
    Array: ({ A, B }) => [A, B],
  });
}

let sockets = 0;

async function onTypescriptServer(network: Network, use: (address: string) => Promise<void>): Promise<void> {
  const rpc = arithServer();
  const ended: Promise<void>[] = [];
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => ended.push(rpc.serve(socket)));
  if (network === "unix") server.listen(join(tmpdir(), `goplug-rpc-${process.pid}-${sockets++}`));
  else server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address()!;
  try {
    await use(typeof address === "string" ? address : `127.0.0.1:${address.port}`);
    // Every connection of a client that has gone ends here as well.
    await Promise.all(ended);
  } finally {
    server.close();
  }
}

const run = promisify(execFile);

/** What rpcpeer checks of a server, by the names that `rpcpeer list` prints. */
const checks =
  "add mul negative embedded dotted-name scan string builtin-map builtin-slice builtin-array nothing discarded-reply " +
  "divide-by-zero error-text missing-method unexported-method missing-service dotted-missing ill-formed wrong-type " +
  "out-of-order inflight64 connections echo-sizes half-close gone-client garbage cut-header huge-length " +
  "error-after-close panic missing-method-nil";

function checkCases(network: Network): Case[] {
  return checks.split(" ").map((name) => ({
    name: `go->ts net/rpc ${network} ${name}`,
    needs: ["rpcpeer"],
    run: () =>
      onTypescriptServer(network, async (address) => {
        const args = ["check", "-network", network, "-address", address, "-case", name];
        const { stdout } = await run(binary("rpcpeer"), args).catch((error) => {
          throw new Error(`${error.stdout}${error.stderr}`);
        });
        assert.equal(stdout.trim(), `ok ${name}`);
      }),
  }));
}

export const cases: Case[] = [
  ...onBoth("unix"),
  ...onBoth("tcp"),
  ...odd.map(
    ([mode, check]): Case => ({
      name: `ts->go net/rpc unix odd server: ${mode}`,
      needs: ["rpcpeer"],
      run: () => onGoServer(["odd", "-mode", mode], (client) => check(caller(client, "Arith", arithMethods))),
    }),
  ),
  ...checkCases("unix"),
  ...checkCases("tcp"),
];
