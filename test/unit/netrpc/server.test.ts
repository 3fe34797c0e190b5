import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { describe, test } from "node:test";
import * as gob from "../../../src/gob/index.js";
import {
  type CallContext,
  type Receiver,
  RpcServer,
  type RpcServerOptions,
} from "../../../src/netrpc/index.js";
import { ScriptedChannel, settle } from "./scripted-channel.js";
import { Asker, methods, readAnswers } from "./support.js";

const { Add, Echo, Wait, Nothing } = methods;

/** A handler's answer, in the test's hand. */
class Gate {
  readonly entered: number[] = [];
  readonly #answers = new Map<number, (reply: number) => void>();

  wait(n: number): Promise<number> {
    this.entered.push(n);
    return new Promise((resolve) => this.#answers.set(n, resolve));
  }

  open(n: number): void {
    this.#answers.get(n)!(n);
  }
}

/** About what so many small calls count, so that reading stops with the last of them, and goes on with half. */
const calls = (n: number): number => n * 277;

function start(
  overrides: Partial<Receiver<typeof methods>> = {},
  options: RpcServerOptions = {},
  signal?: AbortSignal,
) {
  const channel = new ScriptedChannel();
  const gate = new Gate();
  const warnings: string[] = [];
  const server = new RpcServer({ logger: { warn: (message) => warnings.push(message) }, ...options });
  server.register("Test", methods, {
    Add: ({ A, B }) => A + B,
    Echo: (bytes) => bytes,
    Wait: (n) => gate.wait(n),
    Nothing: () => null,
    ...overrides,
  });
  let over = false;
  const served = server.serve(channel, { signal }).then(() => {
    over = true;
  });
  return {
    channel,
    gate,
    warnings,
    served,
    ask: new Asker(),
    isOver: () => over,
    answers: () => readAnswers(channel.written),
  };
}

describe("running calls", () => {
  test("handlers run at once, answers go out as they come, each turn's in one write", async () => {
    const { channel, gate, ask, answers } = start();
    for (const n of [10, 11, 12]) channel.feed(ask.call("Test.Wait", Wait[0], n));
    channel.feed(ask.call("Test.Add", Add[0], { A: 1, B: 2 }));
    await settle();
    assert.deepEqual(gate.entered, [10, 11, 12]);
    assert.deepEqual(answers(), [{ seq: 3, error: "", reply: 3 }]);
    gate.open(12);
    gate.open(10);
    await settle();
    assert.equal(channel.writes.length, 2);
    gate.open(11);
    await settle();
    assert.deepEqual(
      answers().map(({ seq }) => seq),
      [3, 2, 0, 1],
    );
  });

  test("a large answer does not wait for the turn's end", () => {
    const { channel, ask } = start();
    channel.feed(ask.call("Test.Echo", Echo[0], Buffer.alloc(70_000)));
    assert.equal(channel.writes.length, 1);
  });

  test("a handler that never settles stands in nobody's way", async () => {
    const { channel, ask, answers, gate } = start();
    channel.feed(ask.call("Test.Wait", Wait[0], 1));
    for (let i = 0; i < 100; i++) channel.feed(ask.call("Test.Add", Add[0], { A: i, B: 1 }));
    await settle();
    assert.deepEqual(gate.entered, [1]);
    assert.deepEqual(
      answers().map(({ reply }) => reply),
      Array.from({ length: 100 }, (_, i) => i + 1),
    );
  });

  test("what handlers throw goes to the caller as text, and never as success", async () => {
    const thrown = [
      new Error("as an Error"),
      new RangeError(""),
      "as a string",
      "",
      undefined,
      null,
      { toString: () => "as an object" },
    ];
    const { channel, ask, answers } = start({
      Add({ A, B }) {
        if (B === 0) throw thrown[A];
        return Promise.reject(thrown[A]);
      },
    });
    for (const B of [0, 1]) {
      for (const A of thrown.keys()) channel.feed(ask.call("Test.Add", Add[0], { A, B }));
    }
    await settle();
    const texts = ["as an Error", "RangeError", "as a string", "error", "undefined", "null", "as an object"];
    assert.deepEqual(
      answers().map(({ error }) => error),
      [...texts, ...texts],
    );
    assert(answers().every(({ reply }) => Object.keys(reply as object).length === 0));
  });

  test("a thrown value that cannot be made text is an error all the same", async () => {
    const hostile = {
      toString() {
        throw new Error("no text");
      },
    };
    const { channel, ask, answers } = start({
      Add() {
        throw hostile;
      },
      Wait: () => Promise.reject(Object.create(null)),
    });
    channel.feed(ask.call("Test.Add", Add[0], { A: 1, B: 1 }));
    channel.feed(ask.call("Test.Wait", Wait[0], 1));
    channel.feed(ask.call("Test.Nothing", Nothing[0], null));
    await settle();
    assert.deepEqual(
      answers().map(({ seq, error }) => [seq, error !== ""]),
      [
        [0, true],
        [2, false],
        [1, true],
      ],
    );
  });

  test("a thenable is waited for; one that throws is an error", async () => {
    const { channel, ask, answers } = start({
      // biome-ignore lint/suspicious/noThenProperty: that is the test
      Wait: ((n: number) => ({ then: (resolve: (n: number) => void) => resolve(n + 1) })) as never,
      Add: (() => ({
        // biome-ignore lint/suspicious/noThenProperty: that is the test
        then() {
          throw new Error("then throws");
        },
      })) as never,
    });
    channel.feed(ask.call("Test.Wait", Wait[0], 1));
    channel.feed(ask.call("Test.Add", Add[0], { A: 1, B: 1 }));
    await settle();
    assert.deepEqual(answers(), [
      { seq: 0, error: "", reply: 2 },
      { seq: 1, error: "then throws", reply: {} },
    ]);
  });

  test("a reply that does not fit its schema: an error for the caller, a line for the log, the connection lives", async () => {
    const { channel, ask, answers, warnings } = start({ Add: () => "three" as never });
    channel.feed(ask.call("Test.Add", Add[0], { A: 1, B: 2 }));
    channel.feed(ask.call("Test.Echo", Echo[0], Buffer.from("alive")));
    await settle();
    assert.equal(answers().length, 2);
    assert.match(answers()[0]!.error, /int/);
    assert.deepEqual(answers()[1], { seq: 1, error: "", reply: Buffer.from("alive") });
    assert.deepEqual(warnings, ["rpc: reply does not fit its schema"]);
  });

  test("the call's context names the method; its signal fires when the connection is gone", async () => {
    let context!: CallContext;
    const { channel, ask, served } = start({
      Wait(_n, given) {
        context = given;
        return new Promise(() => {});
      },
    });
    channel.feed(ask.call("Test.Wait", Wait[0], 1));
    assert.equal(context.serviceMethod, "Test.Wait");
    assert.equal(context.signal.aborted, false);
    channel.destroy(new Error("cut"));
    await served;
    assert.equal(context.signal.aborted, true);
  });

  test("an answer that comes after the end of the connection is dropped", async () => {
    const { channel, ask, gate, served } = start();
    channel.feed(ask.call("Test.Wait", Wait[0], 1));
    channel.destroy();
    await served;
    gate.open(1);
    await settle();
    assert.equal(channel.writes.length, 0);
  });
});

describe("what cannot be run", () => {
  test("unknown services and methods get Go's texts; their arguments are skipped", async () => {
    const { channel, ask, answers } = start();
    const odd = gob.struct({ Deep: gob.map(gob.string, gob.slice(gob.float64)) });
    const names = ["Test.Nope", "Nope.Add", "Add", "Test.add", ".", "Test.", "a.b.Add", "Test.toString"];
    for (const name of names) channel.feed(ask.call(name, odd, { Deep: new Map([["x", [1.5]]]) }));
    channel.feed(ask.call("Test.Add", Add[0], { A: 1, B: 2 }));
    await settle();
    assert.deepEqual(readTexts(channel.written).slice(0, -1), [
      "rpc: can't find method Test.Nope",
      "rpc: can't find service Nope.Add",
      "rpc: service/method request ill-formed: Add",
      "rpc: can't find method Test.add",
      "rpc: can't find service .",
      "rpc: can't find method Test.",
      "rpc: can't find service a.b.Add",
      "rpc: can't find method Test.toString",
    ]);
    assert.equal(answers().at(-1)!.reply, 3);
  });

  test("an argument of another type: an error for the caller, the connection lives", async () => {
    const { channel, ask, answers } = start();
    channel.feed(ask.call("Test.Add", gob.string, "seven"));
    channel.feed(ask.call("Test.Add", gob.struct({ A: gob.string }), { A: "seven" }));
    channel.feed(ask.call("Test.Add", Add[0], { A: 1, B: 2 }));
    await settle();
    const [first, second, third] = answers();
    assert.match(first!.error, /^gob: /);
    assert.match(second!.error, /^gob: /);
    assert.deepEqual(third, { seq: 2, error: "", reply: 3 });
  });

  test("a header that makes no sense: running calls are answered, nothing more is read, the connection ends", async () => {
    const { channel, ask, gate, answers, warnings } = start();
    channel.feed(ask.call("Test.Wait", Wait[0], 1));
    channel.feed(Buffer.from(`GET / HTTP/1.1\r\n${"x".repeat(100)}`));
    channel.feed(ask.call("Test.Add", Add[0], { A: 1, B: 2 }));
    await settle();
    assert.deepEqual(warnings, ["rpc: server cannot decode request"]);
    assert.equal(channel.ended, false);
    gate.open(1);
    await settle();
    assert.deepEqual(answers(), [{ seq: 0, error: "", reply: 1 }]);
    assert(channel.ended);
  });
});

describe("back-pressure", () => {
  test("answers to a peer that does not read count until the channel has drained", async () => {
    const { channel, ask, answers, gate } = start({}, { maxUnansweredBytes: 100_000 });
    channel.room = false;
    for (let n = 0; n < 9; n++) channel.feed(ask.call("Test.Echo", Echo[0], Buffer.alloc(30_000, n)));
    channel.feed(ask.call("Test.Wait", Wait[0], 1));
    await settle();
    assert(channel.paused);
    assert.ok(channel.written.length < 200_000);
    assert.deepEqual(gate.entered, []);
    channel.drain();
    await settle();
    assert.equal(channel.paused, false);
    assert.equal(answers().length, 9);
    assert.deepEqual(gate.entered, [1]);
  });

  test("long polls of any number wait for the call that releases them", async () => {
    const { channel, ask, gate, answers } = start();
    for (let n = 1; n <= 10_000; n++) channel.feed(ask.call("Test.Wait", Wait[0], n));
    await settle();
    channel.feed(ask.call("Test.Add", Add[0], { A: 1, B: 1 }));
    await settle();
    assert.deepEqual(answers(), [{ seq: 10_000, error: "", reply: 2 }]);
    for (let n = 1; n <= 10_000; n++) gate.open(n);
    await settle();
    assert.equal(answers().length, 10_001);
  });

  test("reading stops at maxUnansweredBytes, which is logged once, and goes on at half of them", async () => {
    const { channel, ask, gate, answers, warnings } = start({}, { maxUnansweredBytes: calls(4) });
    for (let n = 0; n < 10; n++) channel.feed(ask.call("Test.Wait", Wait[0], n));
    await settle();
    assert.deepEqual(gate.entered, [0, 1, 2, 3]);
    assert(channel.paused);
    gate.open(0);
    await settle();
    assert.deepEqual(gate.entered, [0, 1, 2, 3]);
    gate.open(1);
    await settle();
    assert.deepEqual(gate.entered, [0, 1, 2, 3, 4, 5]);
    for (const n of [2, 3, 4, 5]) gate.open(n);
    await settle();
    for (const n of [6, 7, 8, 9]) gate.open(n);
    await settle();
    assert.equal(answers().length, 10);
    assert.equal(channel.paused, false);
    assert.deepEqual(warnings, [
      "rpc: no more calls are read until some are answered: maxUnansweredBytes is reached",
    ]);
  });

  test("a single call over maxUnansweredBytes is nothing to be warned of", async () => {
    const { channel, ask, gate, answers, warnings } = start({}, { maxUnansweredBytes: calls(1) });
    channel.feed(ask.call("Test.Wait", Wait[0], 1));
    assert(channel.paused);
    gate.open(1);
    await settle();
    assert.equal(answers().length, 1);
    assert.deepEqual(warnings, []);
  });

  test("many calls in one chunk are bound by it as well", async () => {
    const { channel, ask, gate } = start({}, { maxUnansweredBytes: calls(2) });
    const chunk = Buffer.concat([0, 1, 2, 3].map((n) => ask.call("Test.Wait", Wait[0], n)));
    channel.feed(chunk);
    assert.deepEqual(gate.entered, [0, 1]);
    gate.open(0);
    await settle();
    assert.deepEqual(gate.entered, [0, 1, 2]);
    gate.open(1);
    gate.open(2);
    await settle();
    assert.deepEqual(gate.entered, [0, 1, 2, 3]);
  });

  test("errors count as well: a peer that never reads cannot pile them up", async () => {
    const { channel, ask } = start({}, { maxUnansweredBytes: calls(8) });
    channel.room = false;
    channel.feed(ask.call("Test.Nope", gob.string, "x"));
    await settle();
    for (let i = 1; i < 100; i++) channel.feed(ask.call("Test.Nope", gob.string, "x"));
    await settle();
    assert(channel.paused);
    channel.drain();
    await settle();
    assert.equal(readTexts(channel.written).length, 100);
    assert.equal(channel.paused, false);
    channel.feed(ask.call("Test.Add", Add[0], { A: 1, B: 2 }));
    await settle();
    assert.equal(readTexts(channel.written).length, 101);
  });
});

describe("the end", () => {
  test("a peer that half-closes is answered, then the server ends its half", async () => {
    const { channel, ask, gate, answers, isOver } = start();
    channel.feed(ask.call("Test.Wait", Wait[0], 1));
    channel.feed(ask.call("Test.Add", Add[0], { A: 1, B: 2 }));
    channel.finish();
    await settle();
    assert.equal(channel.ended, false);
    gate.open(1);
    await settle();
    assert.equal(answers().length, 2);
    assert(channel.ended);
    assert.equal(isOver(), false);
  });

  test("a peer that half-closes at once", async () => {
    const { channel } = start();
    channel.finish();
    await settle();
    assert(channel.ended);
    assert.equal(channel.writes.length, 0);
  });

  test("a peer that half-closes behind calls which had to wait is answered all of them", async () => {
    const { channel, ask, gate, answers } = start({}, { maxUnansweredBytes: calls(2) });
    channel.feed(Buffer.concat([0, 1, 2, 3, 4].map((n) => ask.call("Test.Wait", Wait[0], n))));
    channel.finish();
    for (let n = 0; n < 5; n++) {
      await settle();
      gate.open(n);
    }
    await settle();
    assert.equal(answers().length, 5);
    assert(channel.ended);
  });

  for (const [what, maxUnansweredBytes] of [
    ["", undefined],
    [", at the limit of unanswered bytes", 1],
  ] as const) {
    test(`a peer that half-closes in the middle of an argument is told so, once${what}`, async () => {
      const { channel, ask, answers } = start({}, { maxUnansweredBytes });
      channel.feed(ask.header("Test.Add"));
      channel.feed(Buffer.from([40, 1, 2]));
      channel.finish();
      await settle();
      await settle();
      assert.deepEqual(answers(), [{ seq: 0, error: "unexpected EOF", reply: {} }]);
      assert(channel.ended);
    });
  }

  test("a write that throws ends the connection, wherever the answer comes from", async () => {
    for (const size of [1, 70_000]) {
      const { channel, ask, gate, served, warnings } = start({
        async Echo(bytes) {
          await gate.wait(0);
          return bytes;
        },
      });
      channel.feed(ask.call("Test.Echo", Echo[0], Buffer.alloc(size)));
      channel.write = () => {
        throw new Error("nobody is there");
      };
      gate.open(0);
      await served;
      assert.deepEqual(warnings, ["rpc: connection lost"]);
    }
  });

  test("a stop: running calls are answered, those that come later are not read", async () => {
    const stop = new AbortController();
    const { channel, ask, gate, answers } = start({}, {}, stop.signal);
    channel.feed(ask.call("Test.Wait", Wait[0], 1));
    stop.abort();
    channel.feed(ask.call("Test.Add", Add[0], { A: 1, B: 2 }));
    await settle();
    assert.equal(channel.ended, false);
    gate.open(1);
    await settle();
    assert.deepEqual(
      answers().map(({ seq }) => seq),
      [0],
    );
    assert(channel.ended);
  });

  test("a stop that came before: the connection ends at once", async () => {
    const { channel } = start({}, {}, AbortSignal.abort());
    await settle();
    assert(channel.ended);
  });

  test("a stop while answers wait for room: they still go out", async () => {
    const stop = new AbortController();
    const { channel, ask, answers } = start({}, {}, stop.signal);
    channel.room = false;
    for (const A of [1, 2, 3]) channel.feed(ask.call("Test.Add", Add[0], { A, B: 0 }));
    await settle();
    channel.feed(ask.call("Test.Add", Add[0], { A: 4, B: 0 }));
    stop.abort();
    await settle();
    assert.equal(channel.ended, false);
    channel.drain();
    await settle();
    assert.equal(answers().length, 4);
    assert(channel.ended);
  });

  test("a peer that leaves its half open gets 10 s", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const stop = new AbortController();
    const { channel, served } = start({}, {}, stop.signal);
    stop.abort();
    await settle();
    assert(channel.ended && !channel.closed);
    t.mock.timers.tick(9999);
    await settle();
    assert.equal(channel.closed, false);
    t.mock.timers.tick(1);
    await settle();
    assert.equal(channel.closed, true);
    await served;
  });

  test("a connection that has ended leaves nothing on the signal and no timer", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const stop = new AbortController();
    const { channel, served } = start({}, {}, stop.signal);
    assert.equal(getEventListeners(stop.signal, "abort").length, 1);
    channel.finish();
    await settle();
    channel.destroy();
    await served;
    assert.equal(getEventListeners(stop.signal, "abort").length, 0);
    channel.closed = false;
    t.mock.timers.tick(20_000);
    await settle();
    assert.equal(channel.closed, false);
  });

  test("any number of connections share a signal without a warning of a leak", async (t) => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error): void => void warnings.push(warning);
    process.on("warning", onWarning);
    t.after(() => process.off("warning", onWarning));
    const stop = new AbortController();
    const connections = Array.from({ length: 20 }, () => start({}, {}, stop.signal));
    await settle();
    assert.deepEqual(warnings, []);
    stop.abort();
    await settle();
    for (const { channel, served } of connections) {
      channel.destroy();
      await served;
    }
  });

  test("a connection that is lost in the middle of something is logged, others are not", async () => {
    const idle = start();
    idle.channel.feed(idle.ask.call("Test.Add", Add[0], { A: 1, B: 2 }));
    await settle();
    idle.channel.destroy(new Error("cut"));
    await idle.served;
    assert.deepEqual(idle.warnings, []);
    for (const bytes of ["call", "header"] as const) {
      const lost = start();
      if (bytes === "call") lost.channel.feed(lost.ask.call("Test.Wait", Wait[0], 1));
      else lost.channel.feed(lost.ask.header("Test.Add"));
      lost.channel.destroy(new Error("cut"));
      await lost.served;
      assert.deepEqual(lost.warnings, ["rpc: connection lost"]);
    }
    const ended = start();
    ended.channel.finish();
    await settle();
    ended.channel.destroy();
    await ended.served;
    assert.deepEqual(ended.warnings, []);
  });
});

/** Error texts of all answers, whatever the methods' replies; an empty text for success. */
function readTexts(bytes: Buffer): string[] {
  const response = gob.struct({ ServiceMethod: gob.string, Seq: gob.uint, Error: gob.string });
  const decoder = new gob.Decoder();
  decoder.push(bytes);
  const texts: string[] = [];
  for (;;) {
    const header = decoder.decode(response);
    if (header === gob.NEED_MORE) return texts;
    decoder.skip();
    texts.push(header.Error);
  }
}
