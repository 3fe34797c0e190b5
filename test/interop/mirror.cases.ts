// A TypeScript host with the Go plugins counter, errors, stdio and stream: callbacks, errors, output, raw streams.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { Duplex } from "node:stream";
import {
  BasicError,
  collectBytes,
  gob,
  type MuxBroker,
  type Receiver,
  RemoteError,
  remoteReader,
  sendBytes,
  serveReader,
} from "../../src/index.js";
import type { Case } from "./case.js";
import { counter, errors, helperMethods, stdio, stream, wrongErrors } from "./services.js";
import { Collector, kv, pattern, until, withClient } from "./support.js";

type Counter = Awaited<ReturnType<typeof counter.client>>;
type StreamFace = Awaited<ReturnType<typeof stream.client>>;

function onCounter(feature: string, use: (parts: Counter) => Promise<void>): Case {
  return {
    name: `ts->go netrpc ${feature}`,
    needs: ["counter-netrpc"],
    run: ({ bin }) =>
      withClient({ plugins: { counter }, cmd: [bin("counter-netrpc")] }, async (client) =>
        use(await client.dispense("counter")),
      ),
  };
}

function onStream(feature: string, use: (parts: StreamFace) => Promise<void>): Case {
  return {
    name: `ts->go netrpc ${feature}`,
    needs: ["stream-netrpc"],
    run: ({ bin }) =>
      withClient({ plugins: { stream }, cmd: [bin("stream-netrpc")] }, async (client) =>
        use(await client.dispense("stream")),
      ),
  };
}

/** The host's helper, as go-fixtures/shared/counter describes it. */
function helper(broker: MuxBroker, sum: (a: bigint, b: bigint) => bigint): Receiver<typeof helperMethods> {
  return {
    Sum: ({ A, B }) => sum(A, B),
    async Nest({ Depth, Id }) {
      const own = `host ${Depth}`;
      if (Depth <= 0) return [own];
      const id = broker.serve(helperMethods, helper(broker, sum));
      await using peer = await broker.connect(Id, helperMethods);
      return [own, ...(await peer.Nest({ Depth: Depth - 1, Id: id }))];
    },
  };
}

const plus = (a: bigint, b: bigint): bigint => a + b;

/** Puts a value with a fresh helper. */
function put({ rpc, broker }: Counter, Key: string, Value: bigint, sum = plus): Promise<bigint> {
  return rpc.Put({ Key, Value, AddServer: broker.serve(helperMethods, helper(broker, sum)) });
}

async function readAll(source: Duplex): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of source) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

const size = 8 << 20;

export const cases: Case[] = [
  onCounter("counter with a callback", async (parts) => {
    assert.equal(await put(parts, "a", 40n), 40n);
    assert.equal(await put(parts, "a", 2n), 42n);
    assert.equal(await parts.rpc.Get("a"), 42n);
    assert.equal(await put(parts, "b", 2n ** 62n), 2n ** 62n);
  }),
  onCounter("a helper that the plugin serves", async ({ rpc, broker }) => {
    await using peer = await broker.connect(await rpc.Open(null), helperMethods);
    assert.equal(await peer.Sum({ A: 1n, B: 2n }), 1003n);
  }),
  onCounter("callbacks in both directions at once", async (parts) => {
    const back = Array.from({ length: 50 }, (_, i) => put(parts, `key ${i}`, BigInt(i)));
    const forth = Array.from({ length: 50 }, async (_, i) => {
      await using peer = await parts.broker.connect(await parts.rpc.Open(null), helperMethods);
      return await peer.Sum({ A: BigInt(i), B: 1n });
    });
    assert.deepEqual(
      await Promise.all(back),
      Array.from({ length: 50 }, (_, i) => BigInt(i)),
    );
    assert.deepEqual(
      await Promise.all(forth),
      Array.from({ length: 50 }, (_, i) => BigInt(i) + 1001n),
    );
  }),
  onCounter("callbacks within callbacks, 10 deep", async ({ rpc, broker }) => {
    const id = broker.serve(helperMethods, helper(broker, plus));
    const expected = Array.from({ length: 11 }, (_, i) => `${i % 2 === 0 ? "plugin" : "host"} ${10 - i}`);
    assert.deepEqual(await rpc.Nest({ Depth: 10, Id: id }), expected);
  }),
  onCounter("broker ids that collide", async (parts) => {
    const theirs = await parts.rpc.Open(null);
    // Ours counts on its own: until it has given out the same number.
    let ours = 0;
    while (ours < theirs) ours = parts.broker.nextId();
    assert.equal(ours, theirs);
    const serving = parts.broker.acceptAndServe(ours, helperMethods, helper(parts.broker, plus));
    const called = parts.rpc.Put({ Key: "same", Value: 5n, AddServer: ours });
    await using peer = await parts.broker.connect(theirs, helperMethods);
    assert.equal(await peer.Sum({ A: 1n, B: 1n }), 1002n);
    assert.equal(await called, 5n);
    await serving;
  }),
  onCounter("an error of the helper", async (parts) => {
    const refuse = (): bigint => {
      throw new Error("the host refuses");
    };
    await assert.rejects(put(parts, "a", 1n, refuse), { name: "RemoteError", message: "the host refuses" });
    assert.equal(await put(parts, "a", 1n), 1n);
  }),
  onCounter("an id that nobody dials, an id that nobody accepts", async ({ rpc, broker }) => {
    await assert.rejects(broker.accept(broker.nextId(), { timeout: 50 }), {
      code: "ERR_BROKER_TIMEOUT",
      message: "timeout waiting for accept",
    });
    await assert.rejects(broker.dial(999, { timeout: 50 }), { code: "ERR_BROKER_TIMEOUT" });
    const abort = new AbortController();
    const accepting = broker.accept(broker.nextId(), { signal: abort.signal });
    abort.abort();
    await assert.rejects(accepting, { code: "ERR_ABORTED" });
    assert.equal(await rpc.AcceptNobody(null), "timeout waiting for accept");
  }),
  {
    name: "ts->go netrpc error values and texts",
    needs: ["errors-netrpc"],
    run: ({ bin }) =>
      withClient(
        { plugins: { errors, broken: errors, wrong: wrongErrors }, cmd: [bin("errors-netrpc")] },
        async (client) => {
          const plugin = await client.dispense("errors");
          for (const text of ["plain", "ümläut ✓", "two\nlines", "x".repeat(100_000)]) {
            await assert.rejects(plugin.Plain(text), { name: "RemoteError", message: text });
          }
          assert.equal(await plugin.Plain(""), null);
          assert.equal(await plugin.Nothing(null), null);
          const { Value, Error: error } = await plugin.Basic("oops");
          assert.equal(Value, "value of oops");
          assert.deepEqual(BasicError.of(error)?.message, "oops");
          assert.deepEqual(await plugin.Basic(""), { Value: "value of ", Error: null });
          const registered = await plugin.Registered("in an interface");
          assert.equal(registered.Error?.name, "*plugin.BasicError");
          assert.deepEqual(registered.Error?.value, { Message: "in an interface" });
          assert.equal((await plugin.Registered("")).Error, null);
          await assert.rejects(client.dispense("broken"), {
            name: "RemoteError",
            message: "factory refused: broken",
          });
          assert.equal(await plugin.Add({ A: 1, B: 2 }), 3);
        },
      ),
  },
  {
    name: "ts->go netrpc bad argument type",
    needs: ["errors-netrpc"],
    run: ({ bin }) =>
      withClient({ plugins: { errors: wrongErrors }, cmd: [bin("errors-netrpc")] }, async (client) => {
        const plugin = await client.dispense("errors");
        for (let i = 0; i < 3; i++) {
          await assert.rejects(plugin.Add("three"), (error: unknown) => {
            assert(error instanceof RemoteError);
            assert.match(error.message, /^gob: type mismatch/);
            return true;
          });
        }
        await assert.rejects(plugin.Add(3 as unknown as string), gob.GobError);
        await client.ping();
      }),
  },
  {
    name: "ts->go netrpc dispense the same plugin 100 times",
    needs: ["kv-netrpc"],
    run: ({ bin }) =>
      withClient({ plugins: { kv }, cmd: [bin("kv-netrpc")] }, async (client) => {
        for (let i = 0; i < 100; i++) {
          const store = await client.dispense("kv");
          if (i > 0) assert.equal((await store.Get("n")).toString(), String(i - 1));
          await store.Put({ key: "n", value: Buffer.from(String(i)) });
        }
      }),
  },
  {
    name: "ts->go netrpc output in order, 20,000 lines a stream",
    needs: ["stdio-netrpc"],
    async run({ bin }) {
      const [syncStdout, syncStderr] = [new Collector(), new Collector()];
      const expected = (what: string): string =>
        Array.from({ length: 20_000 }, (_, i) => `${what} ${i}\n`).join("");
      const config = { plugins: { stdio }, cmd: [bin("stdio-netrpc")] as [string], syncStdout, syncStderr };
      await withClient(config, async (client) => {
        const printer = await client.dispense("stdio");
        assert.equal(await printer.WriteLines(20_000), 20_000);
        const length = expected("out").length;
        await until("both streams", () => syncStdout.size >= length && syncStderr.size >= length);
      });
      assert.equal(syncStdout.bytes.toString(), expected("out"));
      assert.equal(syncStderr.bytes.toString(), expected("err"));
    },
  },
  onStream("raw stream from the plugin", async ({ rpc, broker }) => {
    const id = broker.nextId();
    const [told, received] = await Promise.all([
      rpc.Source({ Id: id, Bytes: BigInt(size) }),
      broker.accept(id).then(readAll),
    ]);
    assert.equal(told, BigInt(size));
    assert.equal(Buffer.compare(received, pattern(size)), 0);
  }),
  onStream("raw stream to the plugin", async ({ rpc, broker }) => {
    const id = broker.nextId();
    const sink = rpc.Sink({ Id: id });
    const raw = await broker.accept(id);
    const data = pattern(size);
    raw.end(data);
    raw.resume();
    assert.deepEqual(await sink, {
      Bytes: BigInt(size),
      SHA256: createHash("sha256").update(data).digest("hex"),
    });
  }),
  onStream("raw streams there and back, 16 at once", async ({ rpc, broker }) => {
    const one = async (i: number): Promise<void> => {
      const data = pattern((1 << 20) + i);
      const raw = await broker.dial(await rpc.Offer(null));
      raw.end(data);
      assert.equal(Buffer.compare(await readAll(raw), data), 0);
    };
    await Promise.all(Array.from({ length: 16 }, (_, i) => one(i)));
  }),
  onStream("io.Reader served to a plugin that asks for its bytes", async ({ rpc, broker }) => {
    for (const bytes of [0, 1, 65_536, size]) {
      const data = pattern(bytes);
      let sent: Promise<number> | undefined;
      const id = broker.offer((raw) => (sent = serveReader(raw, data)));
      assert.deepEqual(await rpc.ReadAsking({ Id: id }), {
        Bytes: BigInt(bytes),
        SHA256: createHash("sha256").update(data).digest("hex"),
      });
      assert.equal(await sent, bytes);
    }
  }),
  onStream("io.Reader that the plugin closes early is let go of", async ({ rpc, broker }) => {
    let released = false;
    const endless = async function* (): AsyncGenerator<Buffer> {
      try {
        for (;;) yield pattern(65_536);
      } finally {
        released = true;
      }
    };
    let sent: Promise<number> | undefined;
    const id = broker.offer((raw) => (sent = serveReader(raw, endless())));
    assert.equal((await rpc.ReadAsking({ Id: id, Bytes: 100_000n })).Bytes, 100_000n);
    assert.ok((await sent!) >= 100_000);
    await until("the source is let go of", () => released);
  }),
  onStream("io.Reader whose source fails is no clean end for the plugin", async ({ rpc, broker }) => {
    const failing = async function* (): AsyncGenerator<Buffer> {
      yield pattern(1000);
      throw new Error("the disk is gone");
    };
    const id = broker.offer((raw) => serveReader(raw, failing()));
    await assert.rejects(rpc.ReadAsking({ Id: id }), { name: "RemoteError", message: "connection reset" });
  }),
  onStream("io.Reader of the plugin's, read by asking", async ({ rpc, broker }) => {
    for (const bytes of [0, 1, 65_537, size]) {
      const id = broker.nextId();
      const served = rpc.ServeAsked({ Id: id, Bytes: BigInt(bytes) });
      const read = await collectBytes(remoteReader(await broker.accept(id)));
      assert.equal(Buffer.compare(read, pattern(bytes)), 0);
      assert.equal(await served, BigInt(bytes));
    }
  }),
  onStream("io.Reader of the plugin's asks for no more than is read", async ({ rpc, broker }) => {
    const id = broker.nextId();
    const served = rpc.ServeAsked({ Id: id, Bytes: BigInt(size) });
    const reader = remoteReader(await broker.accept(id));
    const first = await new Promise<Buffer>((resolve) => reader.once("data", resolve));
    reader.pause();
    assert.equal(Buffer.compare(first, pattern(size).subarray(0, first.length)), 0);
    reader.destroy();
    assert.ok((await served) <= 4n * 65_536n);
  }),
  onStream("io.Copy to the plugin and back, with ends for each direction", async ({ rpc, broker }) => {
    const data = pattern(size);
    const raw = await broker.dial(await rpc.Offer(null));
    const [sent, back] = await Promise.all([sendBytes(raw, data), collectBytes(raw)]);
    assert.equal(sent, size);
    assert.equal(Buffer.compare(back, data), 0);
  }),
];
