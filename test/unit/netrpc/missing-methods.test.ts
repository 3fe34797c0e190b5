// Methods that a peer does not have: Go's server cannot discard a nil interface, so the first call with one waits to know.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as gob from "../../../src/gob/index.js";
import {
  CallTimeoutError,
  caller,
  RemoteError,
  RpcClient,
  RpcServer,
  UnknownMethodError,
} from "../../../src/netrpc/index.js";
import { request } from "../../../src/netrpc/messages.js";
import { nearMisses } from "../../../src/netrpc/near-misses.js";
import { settle } from "./scripted-channel.js";
import { channelPair, methods, scripted } from "./support.js";

const nothing = "rpc: can't find method Test.Nothing";

/** The calls in a client's bytes: the name, and the id of the argument's type, which is gob's own for these. */
function sent(bytes: Buffer): [method: string, type: "complex" | "interface"][] {
  const decoder = new gob.Decoder();
  decoder.push(bytes);
  const calls: [string, "complex" | "interface"][] = [];
  for (;;) {
    const header = decoder.decode(request);
    if (header === gob.NEED_MORE) return calls;
    try {
      decoder.decode(gob.complex128);
      calls.push([header.ServiceMethod, "complex"]);
    } catch {
      calls.push([header.ServiceMethod, "interface"]);
    }
  }
}

describe("the first call with a nil interface", () => {
  test("waits until its method is known to be there, with all others of it, and then goes out", async () => {
    const { channel, client, rpc, answers } = scripted();
    const calls = [rpc.Nothing(null), rpc.Nothing(null)];
    await settle();
    assert.deepEqual(sent(channel.written), [["Test.Nothing", "complex"]]);
    assert.equal(client.pending, 2);
    channel.feed(answers.error(0, "gob: local interface type *interface {} can only be decoded from …"));
    await settle();
    assert.deepEqual(sent(channel.written), [
      ["Test.Nothing", "complex"],
      ["Test.Nothing", "interface"],
      ["Test.Nothing", "interface"],
    ]);
    channel.feed(answers.ok(1, gob.any, null));
    channel.feed(answers.ok(2, gob.any, null));
    assert.deepEqual(await Promise.all(calls), [null, null]);
    const later = rpc.Nothing(null);
    await settle();
    assert.equal(sent(channel.written).length, 4);
    channel.feed(answers.ok(3, gob.any, null));
    await later;
  });

  test("is not sent to a peer without the method", async () => {
    const { channel, client, rpc, answers } = scripted();
    const calls = [rpc.Nothing(null), rpc.Nothing(null)];
    await settle();
    channel.feed(answers.error(0, nothing));
    for (const call of calls) {
      await assert.rejects(call, { name: "RemoteError", message: nothing, serviceMethod: "Test.Nothing" });
    }
    await settle();
    assert.equal(sent(channel.written).length, 1);
    assert.equal(client.pending, 0);
  });

  test("waits wherever in the argument the nil interface is", async () => {
    const { channel, client, answers } = scripted();
    const shapes: [gob.AnySchema, unknown][] = [
      [gob.slice(gob.any), ["x", null]],
      [gob.map(gob.string, gob.any), new Map([["a", null]])],
      [gob.struct({ A: gob.slice(gob.any) }), { A: [null] }],
    ];
    for (const [i, [schema, value]] of shapes.entries()) {
      const call = client.call(`Test.M${i}`, schema, value as never, gob.any);
      await settle();
      channel.feed(answers.error(i, `rpc: can't find method Test.M${i}`));
      await assert.rejects(call, { name: "RemoteError" });
    }
    assert.deepEqual(
      sent(channel.written).map(([, type]) => type),
      ["complex", "complex", "complex"],
    );
  });

  test("does not wait without a nil interface", async () => {
    const { channel, client } = scripted();
    const struct = client.call("Test.M", gob.struct({ A: gob.any, B: gob.int }), { A: null, B: 1 }, gob.any);
    const text = client.call("Test.N", gob.any, "x", gob.any);
    await settle();
    assert.deepEqual(
      sent(channel.written).map(([method]) => method),
      ["Test.M", "Test.N"],
    );
    void Promise.allSettled([struct, text]);
    await client.close();
  });

  test("may be given up while it waits, and is then never sent", async () => {
    const { channel, client, rpc, answers } = scripted();
    const abort = new AbortController();
    const calls = [rpc.Nothing(null, { timeout: 1 }), rpc.Nothing(null, { signal: abort.signal })];
    await assert.rejects(calls[0]!, CallTimeoutError);
    abort.abort();
    await assert.rejects(calls[1]!, { code: "ERR_ABORTED" });
    assert.equal(client.pending, 0);
    channel.feed(answers.error(0, "gob: types do not fit"));
    await settle();
    assert.equal(sent(channel.written).length, 1);
  });

  test("fails as all others do when the connection is lost, or closed, while it waits", async () => {
    const lost = scripted();
    const call = lost.rpc.Nothing(null);
    await settle();
    lost.channel.destroy();
    await assert.rejects(call, { code: "ERR_NETRPC_CONNECTION_LOST" });
    const closed = scripted();
    const other = closed.rpc.Nothing(null);
    await settle();
    void closed.client.close();
    await assert.rejects(other, { code: "ERR_NETRPC_SHUTDOWN" });
  });
});

test("a goplug server answers the first call and the one behind it, whether it has the method or not", async () => {
  const [near, far] = channelPair();
  const { Nothing } = methods;
  void new RpcServer().register("Test", { Nothing }, { Nothing: () => null }).serve(far);
  const client = new RpcClient(near);
  const table = { Nothing, Missing: Nothing };
  const rpc = caller(client, "Test", table);
  assert.equal(await rpc.Nothing(null), null);
  await assert.rejects(rpc.Missing(null), { message: "rpc: can't find method Test.Missing" });
  assert.equal(await rpc.Nothing(null), null);
  await client.close();
});

describe("names near to a method's", () => {
  test("are refused by the object of methods, before anything is sent", () => {
    const { channel, rpc } = scripted();
    const untyped = rpc as unknown as Record<string, (arg: unknown) => unknown>;
    assert.throws(
      () => untyped.nothing!(null),
      (error: unknown) => {
        assert(error instanceof UnknownMethodError);
        assert.equal(error.message, "the definition has no method Test.nothing: did you mean Test.Nothing?");
        assert.deepEqual(error.didYouMean, ["Test.Nothing"]);
        return true;
      },
    );
    assert.throws(() => untyped.Nothng!(null), UnknownMethodError);
    assert.equal(channel.writes.length, 0);
  });

  test("are not seen by who looks for other members, awaits the object, prints or copies it", async () => {
    const { client } = scripted();
    const rpc = caller(client, "Test", { ...methods, Then: methods.Wait });
    assert.equal(await Promise.resolve(rpc), rpc);
    assert.equal("nothing" in rpc, false);
    assert.equal((rpc as unknown as { elsewhere: unknown }).elsewhere, undefined);
    assert.equal(typeof rpc.toString, "function");
    assert.deepEqual(Object.keys({ ...rpc }), ["Add", "Echo", "Wait", "Nothing", "Then"]);
    assert.equal(JSON.stringify(rpc), "{}");
  });

  test("are named by the error of a call by name that the peer refused; its text is the peer's", async () => {
    const { channel, client, answers } = scripted();
    const call = client.call("Test.echo", gob.string, "x", gob.string);
    await settle();
    channel.feed(answers.error(0, "rpc: can't find method Test.echo"));
    await assert.rejects(call, (error: unknown) => {
      assert(error instanceof RemoteError);
      assert.equal(error.message, "rpc: can't find method Test.echo");
      assert.deepEqual(error.didYouMean, ["Test.Echo"]);
      return true;
    });
    const other = client.call("Test.Elsewhere", gob.string, "x", gob.string);
    await settle();
    channel.feed(answers.error(1, "rpc: can't find method Test.Elsewhere"));
    await assert.rejects(other, (error: unknown) => !Object.hasOwn(error as object, "didYouMean"));
  });

  test("are those that a slip of the hand makes", () => {
    const known = ["Get", "Set", "Greet", "OnActivate", "OnDeactivate"];
    const table: [string, string[]][] = [
      ["get", ["Get"]],
      ["Git", []],
      ["greet", ["Greet"]],
      ["Gret", []],
      ["Great", ["Greet"]],
      ["Greets", ["Greet"]],
      ["onactivate", ["OnActivate"]],
      ["OnActvate", ["OnActivate"]],
      ["OnDectivate", ["OnActivate", "OnDeactivate"]],
      ["", []],
    ];
    for (const [name, meant] of table) assert.deepEqual(nearMisses(name, known), meant, name);
  });
});
