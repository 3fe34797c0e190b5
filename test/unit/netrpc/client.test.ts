import assert from "node:assert/strict";
import { getEventListeners, setMaxListeners } from "node:events";
import { describe, test } from "node:test";
import * as gob from "../../../src/gob/index.js";
import { caller, RpcClient, RpcServer } from "../../../src/netrpc/index.js";
import { settle } from "./scripted-channel.js";
import { channelPair, methods, readCalls, scripted } from "./support.js";

const { Add, Echo } = methods;

describe("calls on the wire", () => {
  test("all calls of a turn are one write, numbered from 0", async () => {
    const { channel, rpc, answers } = scripted();
    const calls = [rpc.Add({ A: 1, B: 2 }), rpc.Echo(Buffer.from("x")), rpc.Nothing("x")];
    await settle();
    assert.equal(channel.writes.length, 1);
    assert.deepEqual(
      readCalls(channel.written).map(({ method, seq }) => [method, seq]),
      [
        ["Test.Add", 0],
        ["Test.Echo", 1],
        ["Test.Nothing", 2],
      ],
    );
    channel.feed(answers.ok(2, gob.any, null));
    channel.feed(answers.ok(0, Add[1], 3));
    channel.feed(answers.ok(1, Echo[1], Buffer.from("y")));
    assert.deepEqual(await Promise.all(calls), [3, Buffer.from("y"), null]);
  });

  test("what is large is written without waiting for the turn's end", () => {
    const { channel, rpc } = scripted();
    void rpc.Echo(Buffer.alloc(70_000)).catch(() => {});
    assert.equal(channel.writes.length, 1);
  });

  test("answers may come in any pieces, in memory that is used again", async () => {
    for (const size of [1, 2, 7]) {
      const { channel, rpc, answers } = scripted();
      const calls = [rpc.Echo(Buffer.from("a")), rpc.Echo(Buffer.from("b"))];
      await settle();
      const bytes = Buffer.concat([
        answers.ok(1, Echo[1], Buffer.from("second")),
        answers.ok(0, Echo[1], Buffer.from("first")),
      ]);
      for (let at = 0; at < bytes.length; at += size) channel.feed(bytes.subarray(at, at + size));
      assert.deepEqual(await Promise.all(calls), [Buffer.from("first"), Buffer.from("second")]);
    }
  });

  test("a reply is decoded into the caller's value", async () => {
    const { channel, client, answers } = scripted();
    const reply = gob.struct({ A: gob.int, B: gob.int });
    const into = { A: 7, B: 8 };
    const call = client.call("Test.M", Add[0], { A: 0, B: 0 }, reply, { into });
    await settle();
    channel.feed(answers.ok(0, gob.struct({ B: gob.int }), { B: 9 }));
    assert.deepEqual(await call, { A: 7, B: 9 });
  });
});

describe("back-pressure", () => {
  test("calls wait, unencoded and in order, until the channel has drained", async () => {
    const { channel, client, rpc, answers } = scripted();
    channel.room = false;
    const first = rpc.Add({ A: 0, B: 0 });
    await settle();
    const later = [1, 2, 3].map((A) => rpc.Add({ A, B: 0 }));
    await settle();
    assert.equal(readCalls(channel.written).length, 1);
    assert.equal(client.pending, 4);
    channel.drain();
    await settle();
    assert.deepEqual(
      readCalls(channel.written).map(({ seq, arg }) => [seq, (arg as { A: number }).A]),
      [
        [0, 0],
        [1, 1],
        [2, 2],
        [3, 3],
      ],
    );
    for (let seq = 0; seq < 4; seq++) channel.feed(answers.ok(seq, gob.int, seq));
    assert.deepEqual(await Promise.all([first, ...later]), [0, 1, 2, 3]);
    assert.equal(client.pending, 0);
  });

  test("a drain that fills the channel again stops there", async () => {
    const { channel, rpc } = scripted();
    channel.room = false;
    const calls = Array.from({ length: 5 }, () => rpc.Echo(Buffer.alloc(70_000)));
    for (const call of calls) call.catch(() => {});
    assert.equal(channel.writes.length, 1);
    // Room for two of them.
    const { write } = channel;
    channel.write = (chunk) => write.call(channel, chunk) && channel.writes.length < 3;
    channel.drain();
    await settle();
    assert.equal(channel.writes.length, 3);
    channel.write = write;
    channel.drain();
    assert.equal(channel.writes.length, 5);
  });

  test("a call that is abandoned while it waits is never sent", async () => {
    const { channel, client, rpc } = scripted();
    channel.room = false;
    rpc.Add({ A: 0, B: 0 }).catch(() => {});
    await settle();
    const abort = new AbortController();
    const abandoned = rpc.Add({ A: 1, B: 0 }, { signal: abort.signal });
    rpc.Add({ A: 2, B: 0 }).catch(() => {});
    abort.abort(new Error("no longer wanted"));
    await assert.rejects(abandoned, { code: "ERR_ABORTED" });
    channel.drain();
    await settle();
    assert.deepEqual(
      readCalls(channel.written).map(({ seq, arg }) => [seq, (arg as { A: number }).A]),
      [
        [0, 0],
        [1, 2],
      ],
    );
    assert.equal(client.pending, 2);
  });

  test("an argument that cannot be encoded is found when its turn comes", async () => {
    const { channel, client, rpc } = scripted();
    channel.room = false;
    rpc.Add({ A: 0, B: 0 }).catch(() => {});
    await settle();
    const bad = rpc.Add({ A: 1.5, B: 0 });
    rpc.Add({ A: 3, B: 0 }).catch(() => {});
    channel.drain();
    await assert.rejects(bad, gob.GobError);
    await settle();
    assert.deepEqual(
      readCalls(channel.written).map(({ seq }) => seq),
      [0, 1],
    );
    assert.equal(client.pending, 2);
  });

  test("calls that waited when the connection was lost fail with the others", async () => {
    const { channel, client, rpc } = scripted();
    channel.room = false;
    const sent = rpc.Add({ A: 0, B: 0 });
    await settle();
    const waiting = rpc.Add({ A: 1, B: 0 });
    channel.destroy();
    for (const call of [sent, waiting]) await assert.rejects(call, { code: "ERR_NETRPC_CONNECTION_LOST" });
    assert.equal(client.pending, 0);
  });
});

describe("arguments that cannot be encoded", () => {
  test("fail alone: nothing of them is on the wire, and types defined in vain are defined again", async () => {
    const { channel, client, rpc, answers } = scripted();
    for (let i = 0; i < 3; i++) {
      await assert.rejects(rpc.Add({ A: 1, B: 0.5 }), gob.GobError);
      await assert.rejects(rpc.Echo("text" as never), gob.GobError);
    }
    await settle();
    assert.equal(channel.writes.length, 0);
    const good = rpc.Add({ A: 1, B: 2 });
    await settle();
    assert.deepEqual(readCalls(channel.written), [{ method: "Test.Add", seq: 0, arg: { A: 1, B: 2 } }]);
    channel.feed(answers.ok(0, gob.int, 3));
    assert.equal(await good, 3);
    assert.equal(client.pending, 0);
  });

  test("in the middle of a turn: the calls around them go out", async () => {
    const { channel, rpc } = scripted();
    const calls = [rpc.Add({ A: 1, B: 0 }), rpc.Add({ A: Number.NaN, B: 0 }), rpc.Add({ A: 2, B: 0 })];
    calls[0]!.catch(() => {});
    calls[2]!.catch(() => {});
    await assert.rejects(calls[1]!, gob.GobError);
    await settle();
    assert.deepEqual(
      readCalls(channel.written).map(({ seq, arg }) => [seq, (arg as { A: number }).A]),
      [
        [0, 1],
        [1, 2],
      ],
    );
  });
});

describe("abandoned calls", () => {
  test("their late answers are discarded, of whatever type; the connection lives", async () => {
    const { channel, client, rpc, answers } = scripted();
    const abort = new AbortController();
    const abandoned = [
      rpc.Add({ A: 1, B: 1 }, { signal: abort.signal }),
      rpc.Echo(Buffer.from("x"), { timeout: 1 }),
      rpc.Nothing("x", { signal: abort.signal }),
    ];
    for (const call of abandoned) call.catch(() => {});
    await settle();
    abort.abort();
    await assert.rejects(abandoned[0]!, { name: "AbortedError", code: "ERR_ABORTED" });
    await assert.rejects(abandoned[1]!, {
      name: "CallTimeoutError",
      code: "ERR_NETRPC_TIMEOUT",
      message: "Test.Echo was not answered within 1 ms",
    });
    await assert.rejects(abandoned[2]!, { code: "ERR_ABORTED" });
    assert.equal(client.pending, 0);
    const next = rpc.Add({ A: 2, B: 2 });
    await settle();
    channel.feed(answers.error(2, "too late"));
    channel.feed(answers.ok(1, Echo[1], Buffer.from("late")));
    channel.feed(
      answers.ok(0, gob.struct({ Odd: gob.map(gob.string, gob.int) }), { Odd: new Map([["a", 1]]) }),
    );
    // Three numbers went to telling the peer.
    channel.feed(answers.ok(6, gob.int, 4));
    assert.equal(await next, 4);
  });

  test("a signal that has fired sends nothing", async () => {
    const { channel, rpc } = scripted();
    await assert.rejects(rpc.Add({ A: 1, B: 1 }, { signal: AbortSignal.abort(new Error("before")) }), {
      code: "ERR_ABORTED",
    });
    await settle();
    assert.equal(channel.writes.length, 0);
  });

  test("an answered call leaves no listener on its signal and no timer", async () => {
    const { channel, rpc, answers } = scripted();
    const { signal } = new AbortController();
    const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
    const before = timers();
    const call = rpc.Add({ A: 1, B: 1 }, { signal, timeout: 60_000 });
    assert.equal(getEventListeners(signal, "abort").length, 1);
    assert.equal(timers(), before + 1);
    await settle();
    channel.feed(answers.ok(0, gob.int, 2));
    assert.equal(await call, 2);
    assert.equal(getEventListeners(signal, "abort").length, 0);
    assert.equal(timers(), before);
  });

  test("many calls may share a signal without a warning", async (t) => {
    const warnings: string[] = [];
    const keep = (warning: Error): void => void warnings.push(warning.name);
    process.on("warning", keep);
    t.after(() => process.off("warning", keep));
    const { client, rpc } = scripted();
    const abort = new AbortController();
    const unlimited = new AbortController();
    setMaxListeners(0, unlimited.signal);
    const other = assert.rejects(rpc.Add({ A: 1, B: 1 }, { signal: unlimited.signal }), {
      code: "ERR_ABORTED",
    });
    unlimited.abort();
    await other;
    const calls = Array.from({ length: 64 }, () => rpc.Add({ A: 1, B: 1 }, { signal: abort.signal }));
    const rejected = calls.map((call) => assert.rejects(call, { code: "ERR_ABORTED" }));
    await settle();
    abort.abort();
    await Promise.all(rejected);
    assert.deepEqual(warnings, []);
    assert.equal(client.pending, 0);
  });

  test("a limit beyond what a timer can hold does not fire at once", async () => {
    for (const timeout of [2 ** 31, Number.POSITIVE_INFINITY]) {
      const { channel, rpc, answers } = scripted();
      const call = rpc.Add({ A: 1, B: 1 }, { timeout });
      await settle();
      await new Promise((resolve) => setTimeout(resolve, 5));
      channel.feed(answers.ok(0, gob.int, 2));
      assert.equal(await call, 2);
    }
  });
});

describe("the end of the connection", () => {
  test("by the peer: pending calls get Go's unexpected EOF, later ones ErrShutdown with the reason", async () => {
    const { channel, client, rpc } = scripted();
    const calls = [rpc.Add({ A: 1, B: 1 }), rpc.Echo(Buffer.from("x"))];
    await settle();
    channel.finish();
    for (const call of calls)
      await assert.rejects(call, { code: "ERR_NETRPC_CONNECTION_LOST", message: /unexpected EOF$/ });
    await assert.rejects(rpc.Add({ A: 1, B: 1 }), (error: unknown) => {
      assert.equal((error as { code: string }).code, "ERR_NETRPC_SHUTDOWN");
      assert.equal(((error as Error).cause as { code: string }).code, "ERR_NETRPC_CONNECTION_LOST");
      return true;
    });
    await client.closed;
    assert(channel.closed);
  });

  test("by an error: it is the cause", async () => {
    const { channel, rpc } = scripted();
    const call = rpc.Add({ A: 1, B: 1 });
    await settle();
    channel.destroy(new Error("pulled the plug"));
    await assert.rejects(call, (error: unknown) => {
      assert.equal(((error as Error).cause as Error).message, "pulled the plug");
      return true;
    });
  });

  test("by a write that throws: the calls get its error as the cause", async () => {
    for (const size of [1, 70_000]) {
      const { channel, client, rpc } = scripted();
      channel.write = () => {
        throw new Error("nobody is there");
      };
      await assert.rejects(rpc.Echo(Buffer.alloc(size)), (error: unknown) => {
        assert.equal((error as { code: string }).code, "ERR_NETRPC_CONNECTION_LOST");
        assert.equal(((error as Error).cause as Error).message, "nobody is there");
        return true;
      });
      await client.closed;
      assert.equal(client.pending, 0);
    }
  });

  test("in the middle of an answer: that call could not read its body", async () => {
    const { channel, rpc, answers } = scripted();
    const calls = [rpc.Add({ A: 1, B: 1 }), rpc.Add({ A: 1, B: 1 })];
    await settle();
    channel.feed(answers.header(1));
    channel.finish();
    await assert.rejects(calls[1]!, {
      code: "ERR_NETRPC_BAD_REPLY",
      message: /^reading body unexpected EOF \(in the answer of \S+\)$/,
    });
    await assert.rejects(calls[0]!, { code: "ERR_NETRPC_CONNECTION_LOST" });
  });

  test("by close: pending and later calls get ErrShutdown, and a second close does nothing", async () => {
    const { channel, client, rpc } = scripted();
    const call = rpc.Add({ A: 1, B: 1 });
    const refused = assert.rejects(call, {
      code: "ERR_NETRPC_SHUTDOWN",
      message: "connection is shut down",
    });
    await Promise.all([client.close(), client.close()]);
    await refused;
    await client[Symbol.asyncDispose]();
    await assert.rejects(rpc.Add({ A: 1, B: 1 }), { code: "ERR_NETRPC_SHUTDOWN" });
    assert(channel.ended && channel.closed);
  });
});

describe("answers that make no sense", () => {
  test("a body of another type fails its call alone", async () => {
    const { channel, rpc, answers } = scripted();
    const calls = [rpc.Add({ A: 1, B: 1 }), rpc.Add({ A: 2, B: 2 })];
    await settle();
    channel.feed(answers.ok(1, gob.string, "three"));
    await assert.rejects(calls[1]!, { code: "ERR_NETRPC_BAD_REPLY", message: /^reading body / });
    channel.feed(answers.ok(0, gob.int, 2));
    assert.equal(await calls[0], 2);
    const later = rpc.Add({ A: 3, B: 3 });
    await settle();
    channel.feed(answers.ok(2, gob.int, 6));
    assert.equal(await later, 6);
    assert(!channel.closed);
  });

  test("a body that is not UTF-8 fails its call alone, or arrives whole where it may", async () => {
    const stray = Buffer.from([0x61, 0xff, 0x62]);
    for (const invalidUtf8 of [undefined, "escape"] as const) {
      const { channel, client, answers } = scripted({ invalidUtf8 });
      const bad = client.call("Test.Name", gob.string, "x", gob.string);
      const good = client.call("Test.Name", gob.string, "x", gob.string);
      await settle();
      channel.feed(answers.ok(0, gob.rawString, stray));
      channel.feed(answers.ok(1, gob.string, "höher"));
      assert.equal(await good, "höher");
      if (invalidUtf8 === undefined) await assert.rejects(bad, { code: "ERR_NETRPC_BAD_REPLY" });
      else assert.equal(await bad, "a\udcffb");
    }
  });

  test("an error's text that is not UTF-8 is read as far as it goes", async () => {
    const { channel, rpc, answers } = scripted();
    const call = rpc.Add({ A: 1, B: 1 });
    const other = rpc.Add({ A: 1, B: 1 });
    await settle();
    channel.feed(answers.error(0, Buffer.from("caf\xe9 is closed", "latin1")));
    channel.feed(answers.ok(1, gob.int, 2));
    await assert.rejects(call, { name: "RemoteError", message: "caf\ufffd is closed" });
    assert.equal(await other, 2);
  });

  test("bytes that are no message end the client, whatever came before", async () => {
    const { channel, rpc, answers } = scripted();
    const calls = [rpc.Add({ A: 1, B: 1 }), rpc.Add({ A: 2, B: 2 })];
    await settle();
    channel.feed(answers.header(1));
    // A message of more bytes than any may have.
    channel.feed(Buffer.from([0xf8, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]));
    await assert.rejects(calls[1]!, { code: "ERR_NETRPC_BAD_REPLY", message: /^reading body / });
    await assert.rejects(calls[0]!, { code: "ERR_NETRPC_BAD_REPLY", message: /^(?!reading body )/ });
    await settle();
    assert(channel.closed);
  });

  test("a header of another type", async () => {
    const { channel, rpc } = scripted();
    const call = rpc.Add({ A: 1, B: 1 });
    await settle();
    channel.feed(Buffer.from(`HTTP/1.1 400 Bad Request\r\n\r\n${"<p>no</p>".repeat(10)}`));
    await assert.rejects(call, { code: "ERR_NETRPC_BAD_REPLY" });
    await settle();
    assert(channel.closed);
  });

  test("bytes behind a bad header are not looked at", async () => {
    const { channel, rpc, answers } = scripted();
    const calls = [rpc.Add({ A: 1, B: 1 }), rpc.Add({ A: 2, B: 2 })];
    await settle();
    const bad = new gob.Encoder();
    bad.encode(gob.string, "no header");
    channel.feed(Buffer.concat([bad.take(), answers.ok(1, gob.int, 4)]));
    for (const call of calls) await assert.rejects(call, { code: "ERR_NETRPC_BAD_REPLY" });
    channel.feed(Buffer.from([1, 2, 3]));
  });

  test("an answer nobody waits for is skipped, with or without an error", async () => {
    const { channel, rpc, answers } = scripted();
    const call = rpc.Add({ A: 1, B: 1 });
    await settle();
    channel.feed(answers.ok(7, gob.slice(gob.string), ["who", "asked"]));
    channel.feed(answers.error(8, "nobody asked"));
    channel.feed(answers.ok(0, gob.int, 2));
    assert.equal(await call, 2);
  });
});

describe("onLost", () => {
  test("also explains the call whose answer broke off, and later ones", async () => {
    const { channel, rpc, answers } = scripted({ onLost: async () => new Error("it panicked") });
    const calls = [rpc.Add({ A: 1, B: 1 }), rpc.Add({ A: 1, B: 1 })];
    await settle();
    channel.feed(answers.header(1));
    channel.finish();
    for (const call of calls) await assert.rejects(call, { message: "it panicked" });
    await assert.rejects(rpc.Add({ A: 1, B: 1 }), {
      code: "ERR_NETRPC_SHUTDOWN",
      message: "connection is shut down: it panicked",
    });
  });

  test("is asked once; calls that are pending or come meanwhile get its error", async () => {
    const asked: unknown[] = [];
    let tell!: (error: Error) => void;
    const { channel, client, rpc } = scripted({
      onLost(error) {
        asked.push(error.code);
        return new Promise((resolve) => {
          tell = resolve;
        });
      },
    });
    const pending = rpc.Add({ A: 1, B: 1 });
    await settle();
    channel.destroy();
    await settle();
    const meanwhile = rpc.Add({ A: 2, B: 2 });
    assert.equal(client.pending, 2);
    tell(new Error("it has exited"));
    await assert.rejects(pending, { message: "it has exited" });
    await assert.rejects(meanwhile, { message: "it has exited" });
    await assert.rejects(rpc.Add({ A: 3, B: 3 }), (error: unknown) => {
      assert.equal((error as { code: string }).code, "ERR_NETRPC_SHUTDOWN");
      assert.equal(((error as Error).cause as Error).message, "it has exited");
      return true;
    });
    assert.deepEqual(asked, ["ERR_NETRPC_CONNECTION_LOST"]);
    assert.equal(client.pending, 0);
  });

  test("that fails itself: the calls get what was lost", async () => {
    const { channel, rpc } = scripted({ onLost: () => Promise.reject(new Error("do not know")) });
    const pending = rpc.Add({ A: 1, B: 1 });
    await settle();
    channel.destroy();
    await assert.rejects(pending, { code: "ERR_NETRPC_CONNECTION_LOST" });
  });

  test("is not asked after close", async () => {
    let asked = 0;
    const { client } = scripted({
      onLost: async (error) => {
        asked++;
        return error;
      },
    });
    await client.close();
    await settle();
    assert.equal(asked, 0);
  });

  test("a call's own limit holds while it is asked", async () => {
    const { channel, client, rpc } = scripted({ onLost: () => new Promise(() => {}) });
    const late = assert.rejects(rpc.Add({ A: 1, B: 1 }, { timeout: 20 }), { code: "ERR_NETRPC_TIMEOUT" });
    await settle();
    channel.destroy();
    await late;
    assert.equal(client.pending, 0);
  });

  test("a bad answer is told to it, too", async () => {
    const asked: string[] = [];
    const { channel, rpc } = scripted({
      onLost: async (error) => {
        asked.push(error.code);
        return error;
      },
    });
    const calls = [rpc.Add({ A: 1, B: 1 }), rpc.Add({ A: 1, B: 1 })];
    await settle();
    const bad = new gob.Encoder();
    bad.encode(gob.string, "no header");
    channel.feed(bad.take());
    for (const call of calls) await assert.rejects(call, { code: "ERR_NETRPC_BAD_REPLY" });
    assert.deepEqual(asked, ["ERR_NETRPC_BAD_REPLY"]);
  });
});

test("100,000 calls leave nothing behind, on either side", async () => {
  const [here, there] = channelPair();
  const client = new RpcClient(here);
  let handled = 0;
  const server = new RpcServer().register("Test", methods, {
    Add: ({ A, B }) => A + B,
    Echo: (bytes) => bytes,
    async Wait(n) {
      handled++;
      await null;
      return n;
    },
    Nothing: () => null,
  });
  const stop = new AbortController();
  const served = server.serve(there, { signal: stop.signal });
  const rpc = caller(client, "Test", methods);
  for (let i = 0; i < 100_000; i++) {
    if ((await rpc.Wait(i)) !== i) assert.fail(`call ${i}`);
  }
  assert.equal(handled, 100_000);
  assert.equal(client.pending, 0);
  // A drain ends at once only when the server counts no running call.
  stop.abort();
  await client.closed;
  await client.close();
  await served;
});
