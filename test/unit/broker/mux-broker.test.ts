import assert from "node:assert/strict";
import type { Duplex } from "node:stream";
import { describe, type TestContext, test } from "node:test";
import { BrokerError } from "../../../src/broker/errors.js";
import { MuxBroker, type MuxBrokerOptions } from "../../../src/broker/mux-broker.js";
import * as gob from "../../../src/gob/index.js";
import type { Logger } from "../../../src/hclog/logger.js";
import { nullLogger } from "../../../src/hclog/logger.js";
import type { Channel, Session } from "../../../src/yamux/index.js";
import { delay, pipePair, readAll, sessions, until } from "../yamux/support.js";

const methods = { Sum: [gob.struct({ A: gob.int, B: gob.int }, { name: "SumArgs" }), gob.int] } as const;

/** A logger that keeps what is warned and worse. */
function keeper(): Logger & { readonly lines: string[] } {
  const lines: string[] = [];
  const keep = (message: string): void => void lines.push(message);
  return { ...nullLogger, warn: keep, error: keep, lines };
}

/** A broker on either side of a session. */
function brokers(t: TestContext, options: MuxBrokerOptions = {}) {
  const { client, server } = sessions(t, pipePair());
  return { here: new MuxBroker(client, options), there: new MuxBroker(server, options), client, server };
}

/** A broker, and its peer's bare session. */
function scripted(t: TestContext, options: MuxBrokerOptions = {}) {
  const { client, server } = sessions(t, pipePair());
  const logger = keeper();
  return { broker: new MuxBroker(client, { logger, ...options }), peer: server, session: client, logger };
}

function id(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

/** Opens a stream as a dialler does. */
async function dialRaw(session: Session, bytes: Uint8Array): Promise<Duplex> {
  const stream = await session.open();
  // The end of the test's session is no news to it.
  stream.on("error", () => {});
  stream.write(bytes);
  return stream;
}

/** Resolves with how the stream ended: with an end, an error's code, or neither (a reset after its own end). */
function endOf(stream: Duplex): Promise<string> {
  stream.resume();
  return new Promise((resolve) => {
    stream.once("end", () => resolve("end"));
    stream.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "error"));
    stream.once("close", () => resolve("close"));
  });
}

const brokerError = (code: string, message: string | RegExp) => ({ name: "BrokerError", code, message });

describe("ids", () => {
  test("are counted from 1 on each side", (t) => {
    const { here, there } = brokers(t);
    assert.deepEqual([here.nextId(), here.nextId(), there.nextId(), here.nextId()], [1, 2, 1, 3]);
  });

  test("collide harmlessly: both sides accept and dial the same number at once", async (t) => {
    const { here, there } = brokers(t);
    const ids = Array.from({ length: 20 }, (_, i) => i + 1);
    const say = async (stream: Duplex, text: string): Promise<string> => {
      stream.end(text);
      return (await readAll(stream)).toString();
    };
    const heard = await Promise.all(
      ids.flatMap((n) => [
        here.accept(n).then((stream) => say(stream, `here accepts ${n}`)),
        there.accept(n).then((stream) => say(stream, `there accepts ${n}`)),
        here.dial(n).then((stream) => say(stream, `here dials ${n}`)),
        there.dial(n).then((stream) => say(stream, `there dials ${n}`)),
      ]),
    );
    const expected = ids.flatMap((n) => [
      `there dials ${n}`,
      `here dials ${n}`,
      `there accepts ${n}`,
      `here accepts ${n}`,
    ]);
    assert.deepEqual(heard, expected);
  });

  test("go up to 2^32 - 1 and are little-endian", async (t) => {
    const { broker, peer } = scripted(t);
    for (const n of [0, 1, 0x01020304, 0xffffffff]) {
      const dialling = broker.dial(n);
      const stream = await peer.accept();
      const read = await new Promise<Buffer>((resolve) => stream.once("data", resolve));
      assert.deepEqual(read, id(n));
      stream.write(id(n));
      (await dialling).destroy();
    }
  });
});

describe("accept", () => {
  test("takes a stream that came before, with what its dialler sent behind the id", async (t) => {
    const { broker, peer } = scripted(t);
    const dialled = await dialRaw(peer, Buffer.concat([id(7), Buffer.from("early")]));
    await delay(10);
    const accepted = await broker.accept(7);
    dialled.end(" and late");
    assert.equal((await readAll(accepted)).toString(), "early and late");
    const answer = readAll(dialled);
    accepted.end("answer");
    assert.equal((await answer).toString(), `${id(7).toString("latin1")}answer`);
  });

  test("takes a stream whose dialler has said its id and ended", async (t) => {
    const { broker, peer } = scripted(t);
    const dialled = await dialRaw(peer, id(7));
    await delay(10);
    dialled.end();
    await delay(10);
    const accepted = await broker.accept(7);
    assert.equal((await readAll(accepted)).length, 0);
    const answer = readAll(dialled);
    accepted.end("answer");
    assert.equal((await answer).toString(), `${id(7).toString("latin1")}answer`);
  });

  test("gives up after its time, with go-plugin's text, and then takes the id anew", async (t) => {
    const { broker, peer } = scripted(t);
    await assert.rejects(
      broker.accept(7, { timeout: 10 }),
      brokerError("ERR_BROKER_TIMEOUT", "timeout waiting for accept"),
    );
    const accepting = broker.accept(7);
    await dialRaw(peer, id(7));
    (await accepting).destroy();
  });

  test("waits 5 s by default", async (t) => {
    const { broker } = scripted(t);
    t.mock.timers.enable({ apis: ["setTimeout"] });
    let failed = false;
    const accepting = assert.rejects(broker.accept(7), { code: "ERR_BROKER_TIMEOUT" }).then(() => {
      failed = true;
    });
    t.mock.timers.tick(4999);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(failed, false);
    t.mock.timers.tick(1);
    await accepting;
  });

  test("has no limit when it is given one that no timer can hold", async (t) => {
    const { broker, peer } = scripted(t, { timeout: Number.POSITIVE_INFINITY });
    const accepting = [broker.accept(1), broker.accept(2, { timeout: 2 ** 40 })];
    await delay(20);
    await dialRaw(peer, id(1));
    await dialRaw(peer, id(2));
    for (const stream of await Promise.all(accepting)) stream.destroy();
  });

  test("can be called off, before and after it has begun", async (t) => {
    const { broker } = scripted(t);
    const abort = new AbortController();
    const accepting = broker.accept(7, { signal: abort.signal });
    abort.abort(new Error("enough"));
    await assert.rejects(accepting, { name: "AbortedError", code: "ERR_ABORTED" });
    await assert.rejects(broker.accept(7, { signal: abort.signal }), { code: "ERR_ABORTED" });
    await assert.rejects(broker.accept(7, { timeout: 1 }), { code: "ERR_BROKER_TIMEOUT" });
  });

  test("refuses an id that is being accepted, and the first accepter keeps it", async (t) => {
    const { broker, peer } = scripted(t);
    const first = broker.accept(7);
    await assert.rejects(broker.accept(7), brokerError("ERR_BROKER_ID_IN_USE", /7/));
    await dialRaw(peer, id(7));
    (await first).destroy();
  });

  test("of two streams with the id takes one, and the other is kept for the next accept", async (t) => {
    const [a, b] = pipePair();
    const { client, server } = sessions(t, [a, b]);
    const broker = new MuxBroker(client);
    const accepting = broker.accept(7);
    const [one, two] = await Promise.all([server.openChannel(), server.openChannel()]);
    // Held up on the way, so that both ids arrive in one turn.
    a.pause();
    for (const [channel, text] of [
      [one, "one"],
      [two, "two"],
    ] as const) {
      channel.write(Buffer.concat([id(7), Buffer.from(text)]));
      channel.end();
      await delay(10);
    }
    a.resume();
    assert.equal((await readAll(await accepting)).toString(), "one");
    assert.equal((await readAll(await broker.accept(7, { timeout: 2000 }))).toString(), "two");
  });

  test("of a stream that came before ends the wait for an accepter", async (t) => {
    const { broker, peer, logger } = scripted(t, { timeout: 50 });
    const dialled = await dialRaw(peer, id(7));
    await delay(10);
    const accepted = await broker.accept(7);
    await delay(80);
    dialled.end("still there");
    assert.equal((await readAll(accepted)).toString(), "still there");
    assert.deepEqual(logger.lines, []);
    accepted.destroy();
  });

  test("leaves no timer when it is served", async (t) => {
    const { here, there } = brokers(t, { timeout: 3_600_000 });
    const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
    const before = timers();
    const [a, b] = await Promise.all([here.accept(1), there.dial(1)]);
    assert.equal(timers(), before);
    a.destroy();
    b.destroy();
  });
});

describe("dial", () => {
  test("to an id that nobody accepts: gives up, and resets its stream", async (t) => {
    const { broker, peer } = scripted(t);
    const dialling = broker.dial(9, { timeout: 30 });
    const ended = endOf(await peer.accept());
    await assert.rejects(
      dialling,
      brokerError("ERR_BROKER_TIMEOUT", "timeout waiting for an answer to the dial of broker id 9"),
    );
    assert.equal(await ended, "ERR_YAMUX_CONNECTION_RESET");
  });

  test("answered with another id", async (t) => {
    const { broker, peer } = scripted(t);
    const dialling = broker.dial(3);
    const stream = await peer.accept();
    stream.write(id(7));
    const ended = endOf(stream);
    await assert.rejects(dialling, brokerError("ERR_BROKER_BAD_ACK", "bad ack: 7 (expected 3)"));
    assert.equal(await ended, "ERR_YAMUX_CONNECTION_RESET");
  });

  test("answered with half an id, and then the end", async (t) => {
    const { broker, peer } = scripted(t);
    const dialling = broker.dial(3);
    (await peer.accept()).end(id(3).subarray(0, 2));
    await assert.rejects(
      dialling,
      brokerError("ERR_BROKER_CLOSED", "the brokered stream ended after 2 of its 4 id bytes"),
    );
  });

  test("answered with half an id, and then nothing", async (t) => {
    const { broker, peer } = scripted(t);
    const dialling = broker.dial(3, { timeout: 30 });
    const stream = await peer.accept();
    const ended = endOf(stream);
    stream.write(id(3).subarray(0, 2));
    await assert.rejects(dialling, { code: "ERR_BROKER_TIMEOUT" });
    assert.equal(await ended, "ERR_YAMUX_CONNECTION_RESET");
  });

  test("answered byte by byte, with data behind", async (t) => {
    const { broker, peer } = scripted(t);
    const dialling = broker.dial(3);
    const stream = await peer.accept();
    for (const byte of [...id(3), ...Buffer.from("data")]) {
      stream.write(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    stream.end();
    assert.equal((await readAll(await dialling)).toString(), "data");
  });

  test("answered with a reset", async (t) => {
    const { broker, peer } = scripted(t);
    const dialling = broker.dial(3);
    (await peer.accept()).destroy();
    await assert.rejects(dialling, brokerError("ERR_BROKER_CLOSED", "the brokered stream was closed"));
  });

  test("can be called off, before and after it has begun", async (t) => {
    const { broker, peer } = scripted(t);
    const abort = new AbortController();
    const dialling = broker.dial(3, { signal: abort.signal });
    const ended = endOf(await peer.accept());
    abort.abort();
    await assert.rejects(dialling, { code: "ERR_ABORTED" });
    assert.equal(await ended, "ERR_YAMUX_CONNECTION_RESET");
    await assert.rejects(broker.dial(3, { signal: abort.signal }), { code: "ERR_ABORTED" });
  });
});

describe("streams that nobody asked for", () => {
  test("with an id that nobody accepts are closed after the broker's time", async (t) => {
    const { broker, peer, logger } = scripted(t, { timeout: 30 });
    assert.equal(await endOf(await dialRaw(peer, id(5))), "ERR_YAMUX_CONNECTION_RESET");
    assert.deepEqual(logger.lines, ["closing a brokered stream that nobody accepted"]);
    await assert.rejects(broker.accept(5, { timeout: 1 }), { code: "ERR_BROKER_TIMEOUT" });
  });

  test("with an id that waits already are closed at once; the first one is kept", async (t) => {
    const { broker, peer, logger } = scripted(t);
    await dialRaw(peer, Buffer.concat([id(5), Buffer.from("first")]));
    assert.equal(await endOf(await dialRaw(peer, id(5))), "ERR_YAMUX_CONNECTION_RESET");
    assert.deepEqual(logger.lines, ["closing a brokered stream whose id is waiting already"]);
    const accepted = await broker.accept(5);
    const first = await new Promise<Buffer>((resolve) => accepted.once("data", resolve));
    assert.equal(first.toString(), "first");
    accepted.destroy();
  });

  for (const [what, bytes] of [
    ["nothing", Buffer.alloc(0)],
    ["half an id", id(5).subarray(0, 2)],
  ] as const) {
    test(`that say ${what} are reset after the broker's time, and hold nobody up meanwhile`, async (t) => {
      const { broker, peer, logger } = scripted(t, { timeout: 200 });
      const silent = endOf(await dialRaw(peer, bytes));
      const accepting = broker.accept(6);
      await dialRaw(peer, id(6));
      (await accepting).destroy();
      assert.deepEqual(logger.lines, []);
      assert.equal(await silent, "ERR_YAMUX_CONNECTION_RESET");
      assert.deepEqual(logger.lines, ["brokered stream without an id"]);
    });

    test(`that say ${what} and end are closed at once`, async (t) => {
      const { peer, logger } = scripted(t);
      const stream = await dialRaw(peer, bytes);
      stream.end();
      assert.equal(await endOf(stream), "close");
      await until(() => logger.lines.length > 0, "the log line");
      assert.deepEqual(logger.lines, ["brokered stream without an id"]);
    });
  }

  test("1,000 of them at once leave nothing but ten lines in the log", async (t) => {
    const { peer, session, logger } = scripted(t, { timeout: 100 });
    const ended = Array.from({ length: 1000 }, async (_, n) => endOf(await dialRaw(peer, id(n))));
    const codes = new Set(await Promise.all(ended));
    assert.deepEqual([...codes], ["ERR_YAMUX_CONNECTION_RESET"]);
    assert.equal(logger.lines.length, 10);
    assert.equal(session.numStreams, 0);
  });
});

describe("the end of the session", () => {
  test("rejects waiting accepts and dials at once, and all later ones", async (t) => {
    const { broker, session, peer } = scripted(t, { timeout: 3_600_000 });
    const waiting = [broker.accept(1), broker.accept(2), broker.dial(3)];
    const rejected = waiting.map((wait) => assert.rejects(wait, BrokerError));
    const ended = endOf(await peer.accept());
    await session.close();
    await Promise.all([...rejected, ended]);
    await assert.rejects(broker.accept(4), brokerError("ERR_BROKER_CLOSED", /session has ended/));
    await assert.rejects(broker.dial(5), { code: "ERR_YAMUX_SESSION_SHUTDOWN" });
    const timers = process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
    assert.equal(timers, 1, "only the test's own timer is left");
  });

  test("by the peer does the same", async (t) => {
    const { broker, peer } = scripted(t, { timeout: 3_600_000 });
    const waiting = assert.rejects(broker.accept(1), (error: unknown) => {
      assert(error instanceof BrokerError);
      assert.equal(error.code, "ERR_BROKER_CLOSED");
      assert.equal((error.cause as { code: string }).code, "ERR_YAMUX_EOF");
      return true;
    });
    await peer.close();
    await waiting;
  });

  test("with streams that wait for their accepter", async (t) => {
    const { broker, peer, session, logger } = scripted(t, { timeout: 50 });
    await dialRaw(peer, id(1));
    await delay(10);
    await session.close();
    await delay(60);
    assert.deepEqual(logger.lines, []);
    await assert.rejects(broker.accept(1), { code: "ERR_BROKER_CLOSED" });
  });
});

describe("net/rpc on brokered streams", () => {
  test("served and called, under go-plugin's name and others", async (t) => {
    const { here, there } = brokers(t);
    const receiver = { Sum: ({ A, B }: { A: number; B: number }) => A + B };
    for (const names of [undefined, ["Other", "Plugin"]]) {
      const number = here.serve(methods, receiver, names === undefined ? {} : { names });
      await using peer = await there.connect(number, methods);
      assert.equal(await peer.Sum({ A: 1, B: 2 }), 3);
    }
  });

  test("an offer that nobody takes up ends with a line in the log", async (t) => {
    const { broker, logger } = scripted(t);
    assert.equal(broker.serve(methods, { Sum: () => 0 }, { timeout: 10 }), 1);
    await until(() => logger.lines.length > 0, "the log line");
    assert.deepEqual(logger.lines, ["plugin acceptAndServe error"]);
  });

  test("acceptAndServe ends with its stream", async (t) => {
    const { here, there } = brokers(t);
    const serving = here.acceptAndServe(1, methods, { Sum: ({ A, B }) => A + B });
    const peer = await there.connect(1, methods);
    assert.equal(await peer.Sum({ A: 20, B: 22 }), 42);
    await peer[Symbol.asyncDispose]();
    await serving;
    await assert.rejects(peer.Sum({ A: 1, B: 1 }), { code: "ERR_NETRPC_SHUTDOWN" });
  });

  test("50 at once in both directions", async (t) => {
    const { here, there } = brokers(t);
    const call = async (server: MuxBroker, client: MuxBroker, n: number): Promise<number> => {
      await using peer = await client.connect(server.serve(methods, { Sum: ({ A, B }) => A + B }), methods);
      return await peer.Sum({ A: n, B: 1 });
    };
    const numbers = Array.from({ length: 50 }, (_, n) => n);
    const sums = await Promise.all(numbers.flatMap((n) => [call(here, there, n), call(there, here, n)]));
    assert.deepEqual(
      sums,
      numbers.flatMap((n) => [n + 1, n + 1]),
    );
  });

  test("the end of a session with idle services is a warning at neither broker", async (t) => {
    const [own, other] = [keeper(), keeper()];
    const { client, server } = sessions(t, pipePair());
    const [here, there] = [new MuxBroker(client, { logger: own }), new MuxBroker(server, { logger: other })];
    for (const [from, to] of [[here, there] as const, [there, here] as const]) {
      const peer = await to.connect(from.serve(methods, { Sum: ({ A, B }) => A + B }), methods);
      assert.equal(await peer.Sum({ A: 1, B: 1 }), 2);
    }
    await client.close();
    await server.closed;
    await delay(20);
    assert.deepEqual([own.lines, other.lines], [[], []]);
  });

  test("the loss of the connection is explained by onLost", async (t) => {
    const { here, there, client } = brokers(t, { onLost: async () => new Error("explained") });
    const number = there.serve(methods, { Sum: () => new Promise<number>(() => {}) });
    const peer = await here.connect(number, methods);
    const call = assert.rejects(peer.Sum({ A: 1, B: 1 }), { message: "explained" });
    await client.close();
    await call;
  });
});

test("a broker on a session that is over", async (t) => {
  const { client } = sessions(t, pipePair());
  await client.close();
  const broker = new MuxBroker(client);
  await assert.rejects(broker.dial(1), { code: "ERR_YAMUX_SESSION_SHUTDOWN" });
  await assert.rejects(broker.accept(1, { timeout: 1000 }), { code: "ERR_BROKER_CLOSED" });
});

test("channels are given without the cost of a Duplex, paused behind the id", async (t) => {
  const { here, there } = brokers(t);
  const [accepted, dialled] = await Promise.all([here.acceptChannel(1), there.dialChannel(1)]);
  dialled.write(Buffer.from("bytes"));
  const read = (channel: Channel): Promise<string> =>
    new Promise((resolve) => {
      channel.attach({ onData: (chunk) => resolve(chunk.toString()), onEnd() {}, onClose() {} });
    });
  assert.equal(await read(accepted), "bytes");
  accepted.destroy();
});
