// Rules between two sides that both keep them, in the cases that come seldom: the other side is a script.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConnectionHandler } from "../../../src/http2/connection.js";
import { PREFACE } from "../../../src/http2/frame.js";
import { type Connection, duplexConnection, Session, type SessionOptions } from "../../../src/http2/index.js";
import { FrameParser } from "../../../src/http2/parser.js";
import { frame, Recorder, request, socketPair, until } from "./support.js";

const whole = frame(1, 5, 1, "88");

/** A client's session, and a server that says what it is told to and counts what it gets. */
async function scripted(options: SessionOptions = {}) {
  const [a, b] = await socketPair();
  let said = 0;
  const seen = { data: 0, pong: 0, requests: [] as number[], goAway: undefined as number | undefined };
  const parser = new FrameParser(
    {
      frame(type, _flags, id, payload) {
        if (type === 1) seen.requests.push(id);
        else if (type === 6) seen.pong = payload[0]!;
        else if (type === 7) seen.goAway = payload.readUInt32BE(4);
      },
      data(_flags, _id, length) {
        seen.data += length;
      },
      payload() {},
    },
    1 << 20,
    true,
  );
  b.on("data", (chunk) => parser.push(chunk));
  const session = Session.client(duplexConnection(a), options);
  b.write(frame(4, 0, 0));
  await session.ready;
  return {
    session,
    seen,
    /** Says this, and waits until it has been heeded. */
    async say(...frames: Buffer[]) {
      b.write(Buffer.concat([...frames, frame(6, 0, 0, Buffer.alloc(8, ++said))]));
      await until(() => seen.pong === said || session.state === "closed", "the answer to PING");
    },
  };
}

function open(session: Session): Recorder {
  const recorder = new Recorder();
  recorder.stream = session.open(request, recorder);
  return recorder;
}

test("a window that the peer's settings have made negative must be made good before anything is sent", async () => {
  const { session, seen, say } = await scripted();
  const { stream } = open(session);
  stream!.write(Buffer.alloc(60_000));
  await until(() => seen.data === 60_000, "the first part");
  // The stream's window falls from 5,535 to 1,000 - 60,000.
  await say(frame(4, 0, 0, "0004 000003e8"), frame(8, 0, 0, "000fffff"));
  assert.equal(stream!.write(Buffer.alloc(5000)), false);
  await say(frame(8, 0, 1, "0000e678"));
  assert.equal(seen.data, 60_000, "59,000 more make it 0");
  await say(frame(8, 0, 1, "00000001"));
  assert.equal(seen.data, 60_001);
  // By 64,535 more than the initial window of 1,000.
  await say(frame(4, 0, 0, "0004 0000ffff"));
  await until(() => seen.data === 65_000, "the rest");
  session.close();
});

test("streams wait while the peer takes none, and go out as it takes more", async () => {
  const { session, seen, say } = await scripted();
  await say(frame(4, 0, 0, "0003 00000000"));
  open(session);
  open(session);
  open(session);
  await say();
  assert.deepEqual(seen.requests, []);
  await say(frame(4, 0, 0, "0003 00000002"));
  assert.deepEqual(seen.requests, [1, 3]);
  session.close();
});

test("a limit that falls below what is open ends nothing, and new streams wait until there is room", async () => {
  const { session, seen, say } = await scripted();
  const first = open(session);
  open(session);
  open(session);
  await say(frame(4, 0, 0, "0003 00000001"));
  open(session);
  await say(whole);
  assert.deepEqual(first.events.slice(0, 1), ["headers, end"]);
  first.stream!.end();
  assert.equal(await first.over, undefined);
  await say(frame(3, 0, 3, "00000008"));
  assert.deepEqual(seen.requests, [1, 3, 5], "one is open");
  await say(frame(3, 0, 5, "00000008"));
  assert.deepEqual(seen.requests, [1, 3, 5, 7]);
  session.close();
});

test("a second GOAWAY with a lower stream ends those between the two, and no other", async () => {
  const { session, say } = await scripted();
  const [first, second, third] = [open(session), open(session), open(session)];
  await say(frame(7, 0, 0, "7fffffff 00000000"));
  assert.throws(() => open(session), { code: "ERR_HTTP2_REFUSED" });
  await say(frame(7, 0, 0, "00000003 00000000"));
  assert.equal((await third.over)?.code, "ERR_HTTP2_REFUSED");
  assert.deepEqual([first.events, second.events], [[], []]);
  await say(whole, frame(1, 5, 3, "88"));
  first.stream!.end();
  second.stream!.end();
  assert.deepEqual([await first.over, await second.over], [undefined, undefined]);
  await session.closed;
});

test("a connection whose stream numbers run out takes no further ones, and ends with those that are open", async () => {
  const { session, seen, say } = await scripted();
  // grpc-go: MaxStreamID, http2_client.go
  session.streams.lastId = Math.floor((0x7fff_ffff * 3) / 4) - 4;
  let ending = false;
  session.onEnding(() => {
    ending = true;
  });
  open(session);
  assert.equal(ending, false);
  const last = open(session);
  assert.equal(ending, true);
  await say();
  assert.equal(seen.requests.length, 2, "the last one has gone out, too");
  assert.throws(() => open(session), { code: "ERR_HTTP2_REFUSED" });
  assert.equal(last.error, undefined);
  session.close();
});

const floods: Record<string, Buffer> = {
  "informational responses": frame(1, 4, 3, `0803 ${Buffer.from("103").toString("hex")}`),
  "HEADERS on a stream that is over": whole,
};

for (const [name, one] of Object.entries(floods)) {
  test(`a flood of ${name} ends the connection`, async () => {
    const { session, seen, say } = await scripted();
    const first = open(session);
    first.stream!.end();
    const second = open(session);
    await say(whole);
    assert.equal(await first.over, undefined);
    await say(Buffer.concat(Array(30_000).fill(one)));
    assert.equal((await second.over)?.http2Code, 11);
    await until(() => seen.goAway !== undefined, "GOAWAY");
    assert.equal(seen.goAway, 11);
  });
}

test("a peer that sends without end waits for the next turn of the event loop", async () => {
  const calls: string[] = [];
  let handler!: ConnectionHandler;
  const connection: Connection = {
    copies: false,
    attach(given) {
      handler = given;
    },
    write(_chunks, taken) {
      queueMicrotask(taken);
      return true;
    },
    pause: () => void calls.push("pause"),
    resume: () => void calls.push("resume"),
    end() {},
    destroy: () => handler.onClose(),
  };
  let requests = 0;
  const session = Session.server(connection, (stream) => {
    requests++;
    queueMicrotask(() => stream.respond([":status", "200"], true));
    return { onHeaders() {}, onData() {}, onEnd() {}, onClose() {} };
  });
  handler.onData(Buffer.concat([PREFACE, frame(4, 0, 0)]), true);
  for (let id = 1; id < 20_000 && calls.length === 0; id += 2)
    handler.onData(frame(1, 5, id, "83868441 0178"), true);
  assert.deepEqual(calls, ["pause"]);
  assert.ok(requests > 100 && requests < 5000, `${requests} requests in one turn`);
  await new Promise(setImmediate);
  assert.deepEqual(calls, ["pause", "resume"]);
  session.close();
});

/** A client's session on a connection that the test ends: `accepts` is what its writes come to. */
async function onDoomed() {
  let handler!: ConnectionHandler;
  const doomed = { accepts: true, writes: 0, lose: (cause?: Error) => handler.onClose(cause) };
  const session = Session.client({
    copies: false,
    attach(given) {
      handler = given;
    },
    write(_chunks, taken) {
      doomed.writes++;
      if (doomed.accepts) queueMicrotask(taken);
      return doomed.accepts;
    },
    pause() {},
    resume() {},
    end() {},
    destroy: () => handler.onClose(),
  });
  handler.onData(frame(4, 0, 0), true);
  await session.ready;
  const sent = open(session);
  await new Promise((resolve) => setImmediate(resolve));
  return { session, doomed, sent };
}

test("a stream that a lost connection has refused to carry is as one that the server has refused", async () => {
  const { session, doomed, sent } = await onDoomed();
  doomed.accepts = false;
  const unsent = open(session);
  await new Promise((resolve) => setImmediate(resolve));
  doomed.lose(new Error("write EPIPE"));
  const [lost, refused] = [await sent.over, await unsent.over];
  assert.equal(lost?.code, "ERR_HTTP2_CONNECTION");
  assert.equal(refused?.code, "ERR_HTTP2_REFUSED");
  assert.equal(refused?.cause, lost);
});

test("a stream that has not gone out when the connection is lost never will, and is as one that the server has refused", async () => {
  const { session, doomed, sent } = await onDoomed();
  const { writes } = doomed;
  const unsent = open(session);
  doomed.lose();
  assert.equal((await sent.over)?.code, "ERR_HTTP2_CONNECTION");
  assert.equal((await unsent.over)?.code, "ERR_HTTP2_REFUSED");
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(doomed.writes, writes);
});

test("a client's GOAWAY ends an idle connection, even while a PING of the server's is not answered", async () => {
  const [a, b] = await socketPair();
  const session = Session.server(duplexConnection(b), () => new Recorder());
  a.resume();
  a.write(Buffer.concat([PREFACE, frame(4, 0, 0)]));
  await session.ready;
  const unanswered = assert.rejects(session.ping(), { code: "ERR_HTTP2_CLOSED" });
  a.write(frame(7, 0, 0, Buffer.alloc(8)));
  await until(() => session.state === "closed", "the end");
  await unanswered;
});
