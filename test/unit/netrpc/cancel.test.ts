// Calls that their caller gives up: a goplug peer's handler learns of it, any other peer is left as it was.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MuxBroker } from "../../../src/broker/mux-broker.js";
import * as gob from "../../../src/gob/index.js";
import { type CallContext, caller, RpcClient, RpcServer } from "../../../src/netrpc/index.js";
import { request } from "../../../src/netrpc/messages.js";
import { pipePair, sessions, until } from "../yamux/support.js";
import { settle } from "./scripted-channel.js";
import { channelPair, scripted } from "./support.js";

const table = { Wait: [gob.int, gob.int], Quick: [gob.int, gob.int] } as const;

function served() {
  const [near, far] = channelPair();
  const contexts: CallContext[] = [];
  const receiver = {
    Wait: (_: number, context: CallContext) => {
      contexts.push(context);
      return new Promise<number>((_resolve, reject) => {
        context.signal.addEventListener("abort", () => reject(context.signal.reason));
      });
    },
    Quick: (n: number, context: CallContext) => {
      contexts.push(context);
      return n;
    },
  };
  void new RpcServer().register("Test", table, receiver).serve(far);
  const client = new RpcClient(near);
  return { client, rpc: caller(client, "Test", table), contexts };
}

describe("between goplug peers", () => {
  test("a signal or timeout of the caller fires the handler's signal, of that call alone", async () => {
    const { client, rpc, contexts } = served();
    const abort = new AbortController();
    const calls = [rpc.Wait(0), rpc.Wait(1, { signal: abort.signal }), rpc.Wait(2, { timeout: 5 })];
    for (const call of calls) call.catch(() => {});
    await settle();
    abort.abort();
    await assert.rejects(calls[1]!, { code: "ERR_ABORTED" });
    await assert.rejects(calls[2]!, { code: "ERR_NETRPC_TIMEOUT" });
    await settle();
    assert.deepEqual(
      contexts.map(({ signal }) => signal.aborted),
      [false, true, true],
    );
    assert.equal((contexts[1]!.signal.reason as { code: string }).code, "ERR_NETRPC_CANCELLED");
    assert.deepEqual(
      contexts.map(({ connection }) => connection.aborted),
      [false, false, false],
    );
    assert.equal(client.pending, 1);
    assert.equal(await rpc.Quick(7), 7);
    await client.close();
    await settle();
    assert.ok(
      contexts.every(
        ({ signal, connection }) => signal.aborted !== (signal === contexts[3]!.signal) && connection.aborted,
      ),
    );
  });

  test("a signal that is asked for late has fired already; that of an answered call does not fire", async () => {
    const [near, far] = channelPair();
    let context: CallContext | undefined;
    const wait = (_: number, given: CallContext): Promise<number> => {
      context = given;
      return new Promise(() => {});
    };
    void new RpcServer().register("Test", table, { Wait: wait, Quick: (n) => n }).serve(far);
    const client = new RpcClient(near);
    const rpc = caller(client, "Test", table);
    await assert.rejects(rpc.Wait(1, { timeout: 1 }));
    await settle();
    assert.equal(context!.signal.aborted, true);
    await client.close();
  });

  test("the signal of a call that was answered does not fire any more", async () => {
    const [near, far] = channelPair();
    let context: CallContext | undefined;
    const wait = async (n: number, given: CallContext): Promise<number> => {
      context = given;
      await settle();
      if (n < 0) throw new Error("no");
      return n;
    };
    void new RpcServer().register("Test", table, { Wait: wait, Quick: (n) => n }).serve(far);
    const client = new RpcClient(near);
    const rpc = caller(client, "Test", table);
    for (const [seq, call] of [
      [0, () => rpc.Wait(1)],
      [2, () => assert.rejects(rpc.Wait(-1))],
    ] as const) {
      await call();
      await client.call("Goplug.Cancel", gob.uint, seq, gob.emptyStruct);
      assert.equal(context!.signal.aborted, false);
    }
    await client.close();
  });

  test("callbacks over the broker, too", async (t) => {
    const { client, server } = sessions(t, pipePair());
    const [here, there] = [new MuxBroker(client), new MuxBroker(server)];
    let fired = false;
    const id = here.serve(table, {
      Wait: (_, { signal }) => {
        signal.addEventListener("abort", () => {
          fired = true;
        });
        return new Promise(() => {});
      },
      Quick: (n) => n,
    });
    const api = await there.connect(id, table);
    await assert.rejects(api.Wait(1, { timeout: 5 }));
    await until(() => fired, "the handler's signal");
    assert.equal(await api.Quick(3), 3);
    await api[Symbol.asyncDispose]();
  });

  test("a call that was never sent is not told of", async () => {
    const { channel, rpc } = scripted();
    channel.room = false;
    void rpc.Add({ A: 1, B: 1 }).catch(() => {});
    await settle();
    const written = channel.written.length;
    await assert.rejects(rpc.Add({ A: 2, B: 2 }, { timeout: 1 }), { code: "ERR_NETRPC_TIMEOUT" });
    channel.drain();
    await settle();
    assert.equal(channel.written.length, written);
  });

  test("what is cancelled may be answered, unknown, or nonsense: the connection lives", async () => {
    const { client, rpc } = served();
    assert.deepEqual(await client.call("Goplug.Cancel", gob.uint, 99, gob.emptyStruct), {});
    await assert.rejects(client.call("Goplug.Cancel", gob.string, "x", gob.emptyStruct), {
      name: "RemoteError",
    });
    assert.equal(await rpc.Quick(1), 1);
    await client.close();
  });
});

test("a peer that knows nothing of it is told once, and never again", async () => {
  const { channel, client, rpc, answers } = scripted();
  const sent = (): string[] => {
    const decoder = new gob.Decoder();
    decoder.push(channel.written);
    const names: string[] = [];
    for (;;) {
      const header = decoder.decode(request);
      if (header === gob.NEED_MORE) return names;
      names.push(header.ServiceMethod);
      decoder.skip();
    }
  };
  await assert.rejects(rpc.Add({ A: 1, B: 1 }, { timeout: 1 }));
  await settle();
  assert.deepEqual(sent(), ["Test.Add", "Goplug.Cancel"]);
  channel.feed(answers.error(1, "rpc: can't find service Goplug.Cancel", "Goplug.Cancel"));
  await assert.rejects(rpc.Add({ A: 2, B: 2 }, { timeout: 1 }));
  await settle();
  assert.deepEqual(sent(), ["Test.Add", "Goplug.Cancel", "Test.Add"]);
  assert.equal(client.pending, 0);
  const next = rpc.Add({ A: 3, B: 3 });
  await settle();
  channel.feed(answers.ok(3, gob.int, 6));
  assert.equal(await next, 6);
});
