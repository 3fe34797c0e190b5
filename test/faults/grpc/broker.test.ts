// What goes wrong between two brokers: nobody at home, refusals, answers that are none, floods.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { connect } from "node:net";
import { PassThrough, pipeline } from "node:stream";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { GRPCBroker } from "../../../src/grpc/broker.js";
import { BrokerStream } from "../../../src/grpc/broker-stream.js";
import type { ConnInfo } from "../../../src/grpc/gen/plugin/grpc_broker.js";
import { Muxer } from "../../../src/grpc/muxer.js";
import { nullLogger } from "../../../src/hclog/logger.js";
import { openSocket } from "../../../src/socket/open.js";
import { Session } from "../../../src/yamux/index.js";
import { AddHelperClient, AddHelperService } from "../../interop/gen/counter.js";
import { call } from "../../interop/grpc-support.js";
import { addHelper } from "../../interop/plugins/services/counter-grpc.js";
import { until } from "../../interop/support.js";

/** A broker whose other side is the test. */
function scripted(timeout: number, muxer?: Muxer) {
  const stream = new BrokerStream();
  const said: ConnInfo[] = [];
  const call = new PassThrough({ objectMode: true });
  call.write = (message: ConnInfo) => {
    said.push(message);
    return true;
  };
  stream.attach(call);
  const opened: string[] = [];
  let failure: Error | undefined;
  const broker = new GRPCBroker({
    stream,
    logger: nullLogger,
    timeout,
    async listen() {
      const reason = failure;
      failure = undefined;
      if (reason !== undefined) throw reason;
      const socket = await openSocket({});
      opened.push(socket.address);
      return socket;
    },
    ...(muxer !== undefined && { muxer: () => muxer }),
  });
  after(() => broker.close());
  const say = (message: Partial<ConnInfo>): void => {
    call.emit("data", { serviceId: 0, network: "", address: "", knock: undefined, ...message });
  };
  const failNext = (reason: Error): void => {
    failure = reason;
  };
  return { broker, said, say, call, opened, failNext };
}

/** Two brokers that hear each other, multiplexed. */
function multiplexed() {
  const [left, right] = [new PassThrough(), new PassThrough()];
  const { duplexA, duplexB } = duplexPair(left, right);
  const host = new Muxer(Session.client(duplexA), nullLogger);
  const plugin = new Muxer(Session.server(duplexB), nullLogger);
  const a = scripted(1000, host);
  const b = scripted(1000, plugin);
  const pass = (from: typeof a, to: typeof b): void => {
    const { push } = from.said;
    from.said.push = (...messages: ConnInfo[]) => {
      for (const message of messages) setImmediate(() => to.say(message));
      return push.apply(from.said, messages);
    };
  };
  pass(a, b);
  pass(b, a);
  after(() => Promise.all([host.close(), plugin.close()]));
  return { a, b };
}

function duplexPair(left: PassThrough, right: PassThrough) {
  const make = (readable: PassThrough, writable: PassThrough) => {
    const duplex = new PassThrough();
    const ends = duplex as unknown as {
      _read(): void;
      _write: PassThrough["_write"];
      _final: PassThrough["_final"];
    };
    readable.on("data", (chunk) => void duplex.push(chunk));
    readable.on("end", () => void duplex.push(null));
    ends._read = () => {};
    ends._write = (chunk, encoding, done) => void writable.write(chunk, encoding, done);
    ends._final = (done) => {
      writable.end();
      done();
    };
    return duplex;
  };
  return { duplexA: make(left, right), duplexB: make(right, left) };
}

test("a dial of an id that nobody announces ends in time, and by its signal", async () => {
  const { broker } = scripted(50);
  await assert.rejects(broker.dial(1), {
    code: "ERR_BROKER_TIMEOUT",
    message: "timeout waiting for connection info",
  });
  const abort = new AbortController();
  const dialling = broker.dial(2, { signal: abort.signal, timeout: 60_000 });
  await assert.rejects(broker.dial(2), { code: "ERR_BROKER_ID_IN_USE" });
  abort.abort();
  await assert.rejects(dialling, { code: "ERR_ABORTED" });
});

test("announcements that lead nowhere fail the dial, and the broker goes on", async () => {
  const { broker, say } = scripted(2000);
  say({ serviceId: 1, network: "unix", address: "/nowhere/at/all" });
  await assert.rejects(broker.dial(1), { code: "ERR_GRPC_CONNECT", message: /ENOENT/ });
  say({ serviceId: 2, network: "carrier-pigeon", address: "roof" });
  await assert.rejects(broker.dial(2), {
    code: "ERR_BROKER_ADDRESS",
    message: "unknown address type: roof",
  });
  const own = await broker.serve((server) =>
    server.addService(AddHelperService, addHelper("host", broker, 0n)),
  );
  await own.stop();
});

test("an announcement is kept for longer than a dial waits, and then forgotten", async () => {
  const { broker, say } = scripted(200);
  for (const serviceId of [1, 2]) say({ serviceId, network: "unix", address: "/nowhere/at/all" });
  await sleep(400);
  await assert.rejects(broker.dial(1), { code: "ERR_GRPC_CONNECT" });
  await sleep(2400);
  await assert.rejects(broker.dial(2), { code: "ERR_BROKER_TIMEOUT" });
});

test("the time for the announcement is not that of the connection, which may be slow", async () => {
  const { broker, say, opened } = scripted(50);
  await broker.serve((server) => server.addService(AddHelperService, addHelper("host", broker, 0n)));
  const slow = await openSocket({});
  after(() => slow.close());
  slow.server.on("connection", async (dialled) => {
    await sleep(300);
    const served = connect(opened[0]!);
    pipeline(dialled, served, () => {});
    pipeline(served, dialled, () => {});
  });
  say({ serviceId: 7, network: slow.network, address: slow.address });
  await using connection = await broker.dial(7);
  const helper = connection.client(AddHelperClient);
  assert.deepEqual(await call(helper, helper.sum as never, { a: 1n, b: 2n }), { r: 3n });
});

test("a flood of announcements is dropped beyond a bound", async () => {
  const { broker, say } = scripted(60_000);
  for (let id = 0; id < 20_000; id++) say({ serviceId: id, network: "unix", address: "/nowhere/at/all" });
  await assert.rejects(broker.dial(9999), { code: "ERR_GRPC_CONNECT" });
  await assert.rejects(broker.dial(10_001, { timeout: 20 }), { code: "ERR_BROKER_TIMEOUT" });
});

test("a brokered server that is never dialled goes with the broker, and so does its socket", async () => {
  const { broker, said } = scripted(1000);
  const served = await broker.serve(() => {});
  await assert.rejects(
    broker.acceptAndServe(served.id, () => {}),
    { code: "ERR_BROKER_ID_IN_USE" },
  );
  const { address } = said[0]!;
  assert.equal(existsSync(address), true);
  broker.close();
  await until("the end of the socket", () => !existsSync(address));
  await assert.rejects(
    broker.serve(() => {}),
    { code: "ERR_BROKER_CLOSED", message: "broker closed" },
  );
  await assert.rejects(broker.dial(1), { code: "ERR_BROKER_CLOSED" });
});

test("a stranger at a brokered server's socket does not disturb it", async () => {
  const { broker, said, say } = scripted(5000);
  const served = await broker.serve((server) =>
    server.addService(AddHelperService, addHelper("host", broker, 0n)),
  );
  const { address, network } = said[0]!;
  const stranger = connect(address);
  stranger.on("error", () => {});
  stranger.write("GET / HTTP/1.1\r\n\r\n");
  say({ serviceId: served.id, network, address });
  await using conn = await broker.dial(served.id);
  const helper = conn.client(AddHelperClient);
  assert.deepEqual(await call(helper, helper.sum as never, { a: 1n, b: 2n }), { r: 3n });
  stranger.destroy();
});

test("knocks: refused, answered with something else, not answered", async () => {
  const session = Session.client(new PassThrough());
  const muxer = new Muxer(session, nullLogger);
  after(() => session.close());
  const { broker, say, said } = scripted(100, muxer);
  const knock = { knock: true, ack: true, error: "no listener for id 1" };
  const refused = assert.rejects(broker.dial(1), {
    code: "ERR_BROKER_KNOCK",
    message: "failed to knock for id 1: no listener for id 1",
  });
  await until("the knock", () => said.length === 1);
  assert.deepEqual(said[0]?.knock, { knock: true, ack: false, error: "" });
  say({ serviceId: 1, knock });
  await refused;
  const odd = assert.rejects(broker.dial(2), {
    code: "ERR_BROKER_KNOCK",
    message: /^handshake failed for multiplexing on id 2; expected knock and ack, but got/,
  });
  await until("the knock", () => said.length === 2);
  say({ serviceId: 2, network: "unix", address: "/somewhere" });
  await odd;
  await assert.rejects(broker.dial(3), {
    code: "ERR_BROKER_TIMEOUT",
    message: "timeout waiting for multiplexing knock handshake on id 3",
  });
});

test("a knock before anybody accepts waits for who does, and one that nobody wants is forgotten", async () => {
  const { a, b } = multiplexed();
  const dialling = a.broker.dial(5);
  await until("the knock", () => a.said.length === 1);
  await new Promise((resolve) => setTimeout(resolve, 50));
  await b.broker.acceptAndServe(5, (server) =>
    server.addService(AddHelperService, addHelper("plugin", b.broker, 0n)),
  );
  await using conn = await dialling;
  const helper = conn.client(AddHelperClient);
  assert.deepEqual(await call(helper, helper.sum as never, { a: 1n, b: 2n }), { r: 3n });
  await assert.rejects(a.broker.dial(6), { code: "ERR_BROKER_TIMEOUT" });
  // The late knock of 6 must not be answered when somebody comes at last.
  const before = b.said.length;
  await new Promise((resolve) => setTimeout(resolve, 300));
  await b.broker.acceptAndServe(6, () => {});
  assert.equal(b.said.length, before);
});

test("a brokered server's end is the end of its calls", async () => {
  const { a, b } = multiplexed();
  const served = await b.broker.serve((server) =>
    server.addService(AddHelperService, { sum: () => {}, nest: () => {} }),
  );
  await using conn = await a.broker.dial(served.id);
  const helper = conn.client(AddHelperClient);
  const hanging = call(helper, helper.sum as never, { a: 1n, b: 2n });
  const ended = assert.rejects(hanging, (error: { code: number }) => [1, 14].includes(error.code));
  await new Promise((resolve) => setTimeout(resolve, 50));
  await served.stop();
  await ended;
  await conn.closed;
});

/** A broker with a multiplexed connection whose other end, and whose other broker, are the test. */
function knocking(timeout: number) {
  const { duplexA, duplexB } = duplexPair(new PassThrough(), new PassThrough());
  const other = Session.server(duplexB);
  const muxer = new Muxer(Session.client(duplexA), nullLogger);
  after(() => Promise.all([muxer.close(), other.close()]));
  const sides = scripted(timeout, muxer);
  const ack = (serviceId: number): void =>
    sides.say({ serviceId, knock: { knock: true, ack: true, error: "" } });
  const knocks = (): number[] => sides.said.map(({ serviceId }) => serviceId);
  return { ...sides, other, ack, knocks };
}

const turns = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
};

test("knocks are made one at a time: the next one waits for the stream that the last one was for", {
  timeout: 30_000,
}, async () => {
  const { broker, ack, knocks, other } = knocking(60_000);
  const dialling = [1, 2].map((id) => broker.dial(id, { timeout: 60_000 }).catch(() => {}));
  await turns();
  assert.deepEqual(knocks(), [1]);
  ack(1);
  await other.accept();
  await until("the second knock", () => knocks().length === 2);
  assert.deepEqual(knocks(), [1, 2]);
  broker.close();
  await Promise.all(dialling);
});

test("a dial that waits for another's turn obeys its signal and its timeout, and never knocks", {
  timeout: 30_000,
}, async () => {
  const { broker, ack, knocks, other } = knocking(60_000);
  const first = broker.dial(1).catch(() => {});
  await turns();
  const abort = new AbortController();
  const second = assert.rejects(broker.dial(2, { signal: abort.signal }), { code: "ERR_ABORTED" });
  const third = assert.rejects(broker.dial(3, { timeout: 20 }), { code: "ERR_BROKER_TIMEOUT" });
  abort.abort();
  await second;
  await third;
  await assert.rejects(broker.dial(4, { signal: AbortSignal.abort() }), { code: "ERR_ABORTED" });
  ack(1);
  await other.accept();
  await turns();
  assert.deepEqual(knocks(), [1]);
  broker.close();
  await first;
});

test("a dial called off after its knock: the other side gets the stream that it expects, and the next dial its turn", async () => {
  const { broker, ack, knocks, other } = knocking(60_000);
  const abort = new AbortController();
  const first = assert.rejects(broker.dial(1, { signal: abort.signal }), { code: "ERR_ABORTED" });
  await turns();
  abort.abort();
  await first;
  const second = broker.dial(2).catch(() => {});
  await turns();
  assert.deepEqual(knocks(), [1], "the other side may answer the knock yet");
  ack(1);
  const promised = await other.accept();
  promised.resume();
  await until("the end of the stream", () => promised.destroyed || promised.readableEnded);
  await until("the second knock", () => knocks().length === 2);
  assert.deepEqual(knocks(), [1, 2]);
  broker.close();
  await second;
});

test("a dial called off after its knock, which is never answered, holds the next one up for the broker's time", async () => {
  const { broker, knocks } = knocking(100);
  const abort = new AbortController();
  setTimeout(() => abort.abort(), 20);
  await assert.rejects(broker.dial(1, { signal: abort.signal, timeout: Infinity }), { code: "ERR_ABORTED" });
  await assert.rejects(broker.dial(2), {
    code: "ERR_BROKER_TIMEOUT",
    message: "timeout waiting for multiplexing knock handshake on id 2",
  });
  assert.deepEqual(knocks(), [1, 2]);
});

test("an answer to a knock that nobody waits for is no answer to the next one", async () => {
  const { broker, ack } = knocking(200);
  ack(1);
  await assert.rejects(broker.dial(1), { code: "ERR_BROKER_TIMEOUT" });
});

test("a broker that closes ends the dials that wait for their turn", { timeout: 30_000 }, async () => {
  const { broker, knocks } = knocking(60_000);
  const dialling = [1, 2, 3].map((id) => assert.rejects(broker.dial(id), { code: "ERR_BROKER_CLOSED" }));
  await turns();
  broker.close();
  await Promise.all(dialling);
  assert.deepEqual(knocks(), [1]);
});

test("of two simultaneous accepts of one id one is refused, and the other's socket goes with the broker", async () => {
  const { broker, said } = scripted(1000);
  const [first, second] = await Promise.allSettled([broker.accept(7, () => {}), broker.accept(7, () => {})]);
  assert.equal(first.status, "fulfilled");
  assert.equal(second.status, "rejected");
  assert.equal((second as PromiseRejectedResult).reason.code, "ERR_BROKER_ID_IN_USE");
  assert.equal(said.length, 1);
  broker.close();
  await until("the end of the socket", () => !existsSync(said[0]!.address));
});

test("an accept that could not listen leaves its id free", async () => {
  const { broker, failNext } = scripted(1000);
  failNext(new Error("no room"));
  await assert.rejects(
    broker.accept(7, () => {}),
    { message: "no room" },
  );
  const listener = await broker.accept(7, () => {});
  listener.close();
  await (await broker.accept(7, () => {})).close();
});

test("an accept that the broker's end overtakes says so, and leaves no socket", async () => {
  const { broker, opened } = scripted(1000);
  const accepting = broker.accept(7, () => {});
  broker.close();
  await assert.rejects(accepting, { code: "ERR_BROKER_CLOSED" });
  await until("the end of the socket", () => opened.every((path) => !existsSync(path)));
});
