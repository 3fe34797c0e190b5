// What a session puts on the wire, byte by byte, and what it makes of bytes: the rules of spec.md and session.go.
import assert from "node:assert/strict";
import { once } from "node:events";
import { Duplex } from "node:stream";
import { test } from "node:test";
import { resolveConfig } from "../../../src/yamux/config.js";
import type { Channel, SessionConfig } from "../../../src/yamux/index.js";
import { Session } from "../../../src/yamux/index.js";
import { Mux } from "../../../src/yamux/mux.js";
import { FrameWriter } from "../../../src/yamux/writer.js";
import { ACK, DATA, data, FIN, frame, GO_AWAY, PING, RST, SYN, WU } from "../../conformance/yamux/hostile.js";
import { delay, pattern, pipePair, unixPair, until } from "./support.js";

const limit = { timeout: 20_000 };

interface Raw {
  session: Session;
  /** Sends bytes as the peer. */
  send(...frames: Buffer[]): Promise<void>;
  /** Waits for exactly these frames from the session. */
  expect(...frames: Buffer[]): Promise<void>;
  end(): Promise<void>;
}

function raw(role: "client" | "server", config: SessionConfig = {}): Raw {
  const [conn, b] = pipePair();
  const session = new Session(b, { enableKeepAlive: false, ...config, role });
  let got = Buffer.alloc(0);
  conn.on("data", (chunk: Buffer) => {
    got = Buffer.concat([got, chunk]);
  });
  conn.on("error", () => {});
  return {
    session,
    async send(...frames) {
      conn.write(Buffer.concat(frames));
      await delay(5);
    },
    async expect(...frames) {
      const want = Buffer.concat(frames);
      await until(() => got.length >= want.length, `${want.toString("hex").slice(0, 200)}`);
      await delay(2);
      assert.equal(got.toString("hex"), want.toString("hex"));
      got = Buffer.alloc(0);
    },
    async end() {
      await session.close();
      conn.destroy();
    },
  };
}

interface Record {
  data: Buffer[];
  events: string[];
  drains: number;
}

function record(channel: Channel): Record {
  const seen: Record = { data: [], events: [], drains: 0 };
  channel.attach({
    onData: (chunk) => seen.data.push(Buffer.from(chunk)),
    onEnd: () => seen.events.push("end"),
    onClose: (error) => seen.events.push(error === undefined ? "close" : `close: ${error.message}`),
    onDrain: () => seen.drains++,
  });
  return seen;
}

test(
  "opening sends WU(SYN) with the window beyond the default; ids are odd for clients, even for servers",
  limit,
  async () => {
    for (const [role, first] of [
      ["client", 1],
      ["server", 2],
    ] as const) {
      const peer = raw(role, { maxStreamWindowSize: 300_000 });
      record(await peer.session.openChannel());
      record(await peer.session.openChannel());
      await peer.expect(frame(WU, SYN, first, 37_856), frame(WU, SYN, first + 2, 37_856));
      await peer.end();
    }
  },
);

test(
  "accepting sends WU(ACK), not before; also when the opener has ended the stream already",
  limit,
  async () => {
    const peer = raw("server");
    await peer.send(frame(WU, SYN, 1, 0), frame(WU, SYN, 3, 0), frame(WU, FIN, 3, 0));
    await peer.expect();
    const first = await peer.session.acceptChannel();
    assert.equal(first.state, "established");
    const second = await peer.session.acceptChannel();
    assert.equal(second.state, "remoteClosed");
    await peer.expect(frame(WU, ACK, 1, 0), frame(WU, ACK, 3, 0));
    await peer.end();
  },
);

test("data that comes before accept counts against the window that ACK announces", limit, async () => {
  const peer = raw("server", { maxStreamWindowSize: 400_000 });
  await peer.send(frame(WU, SYN, 1, 0), data(1, Buffer.alloc(1000)));
  const channel = await peer.session.acceptChannel();
  await peer.expect(frame(WU, ACK, 1, 400_000 - 262_144));
  // The thousand bytes are still unread, so they are not part of it.
  const seen = record(channel);
  await until(() => seen.data.length > 0, "the data");
  await peer.expect();
  await peer.end();
});

test("credit on SYN and ACK frames is added", limit, async () => {
  const server = raw("server");
  await server.send(frame(WU, SYN, 1, 10));
  const channel = await server.session.acceptChannel();
  const seen = record(channel);
  assert.equal(channel.write(Buffer.alloc(262_154)), true);
  assert.equal(channel.write(Buffer.alloc(1)), false);
  await server.expect(frame(WU, ACK, 1, 0), data(1, Buffer.alloc(262_154)));
  await server.send(frame(WU, 0, 1, 1));
  await server.expect(data(1, Buffer.alloc(1)));
  assert.equal(seen.drains, 1);
  await server.end();
});

test("a sender splits at its window, and goes on with each update", limit, async () => {
  const peer = raw("client");
  const bytes = pattern(300_000);
  const channel = await peer.session.openChannel();
  const seen = record(channel);
  assert.equal(channel.write(bytes), false);
  channel.end();
  assert.equal(channel.state, "closing");
  await peer.expect(frame(WU, SYN, 1, 0), data(1, bytes.subarray(0, 262_144)));
  await peer.send(frame(WU, ACK, 1, 5));
  await peer.expect(data(1, bytes.subarray(262_144, 262_149)));
  await peer.send(frame(WU, 0, 1, 100_000));
  // The FIN comes after the last byte, in a frame of its own.
  await peer.expect(data(1, bytes.subarray(262_149)), frame(WU, FIN, 1, 0));
  assert.equal(channel.state, "localClosed");
  await peer.send(frame(WU, FIN, 1, 0));
  assert.deepEqual(seen.events, ["end", "close"]);
  await peer.end();
});

test("the window reopens at half, for what was read and not for what was received", limit, async () => {
  const peer = raw("server", { maxStreamWindowSize: 262_144 });
  await peer.send(frame(WU, SYN, 1, 0));
  const channel = await peer.session.acceptChannel();
  const seen = record(channel);
  await peer.expect(frame(WU, ACK, 1, 0));
  await peer.send(data(1, Buffer.alloc(131_071)));
  await peer.expect();
  await peer.send(data(1, Buffer.alloc(1)));
  await peer.expect(frame(WU, 0, 1, 131_072));
  channel.pause();
  await peer.send(data(1, Buffer.alloc(200_000)));
  await peer.expect();
  assert.equal(Buffer.concat(seen.data).length, 131_072);
  channel.resume();
  assert.equal(Buffer.concat(seen.data).length, 331_072);
  await peer.expect(frame(WU, 0, 1, 200_000));
  await peer.end();
});

test("bytes of a frame that are still on their way do not reopen the window", limit, async () => {
  const peer = raw("server", { maxStreamWindowSize: 262_144 });
  await peer.send(frame(WU, SYN, 1, 0));
  record(await peer.session.acceptChannel());
  await peer.expect(frame(WU, ACK, 1, 0));
  await peer.send(frame(DATA, 0, 1, 262_144), Buffer.alloc(1000));
  await peer.expect();
  await peer.send(Buffer.alloc(130_072));
  await peer.expect(frame(WU, 0, 1, 131_072));
  await peer.end();
});

test(
  "a window doubles up to 1 MiB while the reader has taken everything when credit is due",
  limit,
  async () => {
    const peer = raw("server");
    await peer.send(frame(WU, SYN, 1, 0));
    const channel = await peer.session.acceptChannel();
    record(channel);
    await peer.expect(frame(WU, ACK, 1, 0));
    await peer.send(data(1, Buffer.alloc(131_072)));
    await peer.expect(frame(WU, 0, 1, 131_072 + 262_144));
    await peer.send(data(1, Buffer.alloc(262_144)));
    await peer.expect(frame(WU, 0, 1, 262_144 + 524_288));
    await peer.send(data(1, Buffer.alloc(524_288)));
    await peer.expect(frame(WU, 0, 1, 524_288));
    await peer.end();
  },
);

test("a reset drops what was not read; writes are refused with Go's text", limit, async () => {
  const peer = raw("client");
  const channel = await peer.session.openChannel();
  const seen = record(channel);
  channel.pause();
  await peer.send(data(1, "lost"), frame(WU, FIN, 1, 0), frame(WU, RST, 1, 0));
  channel.resume();
  assert.deepEqual([seen.data, seen.events], [[], ["close: connection reset"]]);
  assert.equal(channel.state, "reset");
  assert.throws(() => channel.write(Buffer.alloc(1)), {
    code: "ERR_YAMUX_CONNECTION_RESET",
    message: "connection reset",
  });
  assert.equal(peer.session.numStreams, 0);
  await peer.end();
});

test("destroy sends RST once, end sends FIN once, and writes after them are refused", limit, async () => {
  const peer = raw("client");
  const [one, two] = [await peer.session.openChannel(), await peer.session.openChannel()];
  const [first, second] = [record(one), record(two)];
  one.destroy(new Error("enough"));
  one.destroy();
  one.end();
  two.end();
  two.end();
  for (const channel of [one, two])
    assert.throws(() => channel.write(Buffer.alloc(1)), {
      code: "ERR_YAMUX_STREAM_CLOSED",
      message: "stream closed",
    });
  assert.deepEqual(first.events, []);
  await peer.expect(frame(WU, SYN, 1, 0), frame(WU, SYN, 3, 0), frame(WU, RST, 1, 0), frame(WU, FIN, 3, 0));
  assert.deepEqual(first.events, ["close: enough"]);
  assert.deepEqual(second.events, []);
  await peer.end();
});

test(
  "a Duplex sends FIN for end(), nothing when both sides have ended, RST for destroy()",
  limit,
  async () => {
    const peer = raw("client");
    const [one, two] = [await peer.session.open(), await peer.session.open()];
    two.on("error", () => {});
    one.end("x");
    one.resume();
    await peer.send(frame(WU, ACK, 1, 0), frame(WU, FIN, 1, 0));
    await until(() => one.destroyed, "the close");
    two.destroy();
    await peer.expect(
      frame(WU, SYN, 1, 0),
      frame(WU, SYN, 3, 0),
      data(1, "x"),
      frame(WU, FIN, 1, 0),
      frame(WU, RST, 3, 0),
    );
    await peer.end();
  },
);

test(
  "a Duplex that was ended and is destroyed waits for the peer's end; what comes instead, or nothing, resets it",
  limit,
  async () => {
    const peer = raw("client");
    const streams = [await peer.session.open(), await peer.session.open(), await peer.session.open()];
    for (const stream of streams) {
      stream.end();
      await once(stream, "finish");
      stream.destroy();
      await once(stream, "close");
    }
    await peer.send(frame(WU, ACK, 1, 0), frame(WU, FIN, 1, 0), data(3, "late"));
    await peer.expect(
      ...[1, 3, 5].map((id) => frame(WU, SYN, id, 0)),
      ...[1, 3, 5].map((id) => frame(WU, FIN, id, 0)),
      frame(WU, RST, 3, 0),
    );
    await peer.expect(frame(WU, RST, 5, 0));
    assert.equal(peer.session.numStreams, 0);
    await peer.end();
  },
);

test("pings count from 0; close() sends no GoAway; goAway() does", limit, async () => {
  const peer = raw("client");
  const pings = [peer.session.ping(), peer.session.ping()];
  await peer.expect(frame(PING, SYN, 0, 0), frame(PING, SYN, 0, 1));
  await peer.send(frame(PING, ACK, 0, 1), frame(PING, ACK, 0, 0));
  for (const milliseconds of await Promise.all(pings)) assert.ok(milliseconds > 0);
  peer.session.goAway();
  await peer.expect(frame(GO_AWAY, 0, 0, 0));
  await peer.session.close();
  await peer.expect();
  assert.throws(() => peer.session.goAway(), { code: "ERR_YAMUX_SESSION_SHUTDOWN" });
});

test("each way out of the backlog frees a place: ACK, FIN, RST, destroy", limit, async () => {
  const peer = raw("client", { acceptBacklog: 1 });
  const ways: ((channel: Channel) => Promise<void> | void)[] = [
    (channel) => peer.send(frame(WU, ACK, channel.id, 0)),
    (channel) => peer.send(frame(WU, FIN, channel.id, 0)),
    (channel) => peer.send(frame(WU, RST, channel.id, 0)),
    (channel) => channel.destroy(),
  ];
  for (const way of ways) {
    const channel = await peer.session.openChannel();
    record(channel);
    const next = peer.session.openChannel();
    assert.equal(await Promise.race([next, delay(5).then(() => "waits")]), "waits");
    await way(channel);
    (await next).destroy();
  }
  await peer.end();
});

test("those who wait to open are told of a GoAway", limit, async () => {
  const peer = raw("client", { acceptBacklog: 1 });
  record(await peer.session.openChannel());
  const waiting = assert.rejects(peer.session.openChannel(), { code: "ERR_YAMUX_REMOTE_GO_AWAY" });
  await peer.send(frame(GO_AWAY, 0, 0, 0));
  await waiting;
  // The peer may still open streams.
  await peer.send(frame(WU, SYN, 2, 0));
  assert.equal((await peer.session.acceptChannel()).id, 2);
  await peer.end();
});

test("ids run out below 2^32 - 2, and that costs no place in the backlog", limit, async () => {
  const [, b] = pipePair();
  const events = { failed: assert.fail, pong() {}, goAwayReceived() {} };
  const mux = new Mux(resolveConfig({ acceptBacklog: 2 }), 0xffff_fffd as 1, events, undefined);
  mux.writer = new FrameWriter(b, 1000, mux, undefined);
  const last = await mux.open({});
  assert.equal(last.id, 0xffff_fffd);
  for (let i = 0; i < 5; i++)
    await assert.rejects(mux.open({}), {
      code: "ERR_YAMUX_STREAMS_EXHAUSTED",
      message: "streams exhausted",
    });
  b.destroy();
});

test("a session's death comes after the bytes before it, with its cause", limit, async () => {
  const peer = raw("server");
  await peer.send(frame(WU, SYN, 1, 0), data(1, "one"), frame(WU, SYN, 3, 0), data(3, "two"));
  const stream = await peer.session.accept();
  const channel = await peer.session.acceptChannel();
  const seen = record(channel);
  channel.pause();
  await peer.send(frame(GO_AWAY, 0, 0, 2));
  await peer.session.closed;
  assert.deepEqual(seen.events, []);
  channel.resume();
  assert.equal(Buffer.concat(seen.data).toString(), "two");
  assert.deepEqual(seen.events, ["close: session shutdown"]);
  assert.equal(stream.destroyed, false);
  const failed = once(stream, "error");
  assert.equal(String(stream.read()), "one");
  const [error] = await failed;
  assert.equal(error.code, "ERR_YAMUX_SESSION_SHUTDOWN");
  assert.equal(error.cause.code, "ERR_YAMUX_GO_AWAY");
  assert.equal(error.cause.message, "remote yamux internal error");
  await peer.end();
});

test("memory that went to a connection which is no socket is not used again", limit, async () => {
  const kept: Buffer[] = [];
  const conn = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, callback) {
      kept.push(chunk);
      callback();
    },
  });
  const session = Session.client(conn, { enableKeepAlive: false });
  const channel = await session.openChannel();
  record(channel);
  const want = [frame(WU, SYN, 1, 0)];
  for (let i = 0; i < 20; i++) {
    channel.write(Buffer.from([i]));
    want.push(data(1, Buffer.from([i])));
    await delay(1);
  }
  assert.deepEqual(Buffer.concat(kept), Buffer.concat(want));
  conn.destroy();
  await session.closed;
});

test("what is read into the same memory again and again is copied where it is kept", limit, async () => {
  const conn = new Duplex({ read() {}, write: (_chunk, _encoding, callback) => callback() });
  let take: (chunk: Buffer) => void = () => assert.fail("read before the session is there");
  const session = new Session(conn, { role: "server", enableKeepAlive: false }, (sink) => {
    take = sink;
  });
  const memory = Buffer.allocUnsafeSlow(5012);
  const read = (bytes: Buffer): void => {
    bytes.copy(memory);
    take(memory.subarray(0, bytes.length));
  };
  read(frame(WU, SYN, 1, 0));
  read(frame(WU, SYN, 3, 0));
  const stream = await session.accept();
  const channel = await session.acceptChannel();
  const seen = record(channel);
  channel.pause();
  for (const letter of ["a", "b", "c"]) for (const id of [1, 3]) read(data(id, letter.repeat(5000)));
  const want = ["a", "b", "c"].map((letter) => letter.repeat(5000)).join("");
  let got = "";
  for (let chunk = stream.read(); chunk !== null; chunk = stream.read()) got += String(chunk);
  assert.equal(got, want);
  channel.resume();
  assert.equal(String(Buffer.concat(seen.data)), want);
  stream.on("error", () => {});
  conn.destroy();
  await session.closed;
});

test("what a peer sent before it hung up arrives, though a write noticed first", {
  ...limit,
  // Node's write to a named pipe is still under way when the pipe is closed, and then it is called off.
  skip: process.platform === "win32",
}, async () => {
  const [conn, b] = await unixPair();
  const session = Session.server(b, { enableKeepAlive: false });
  const failed: Error[] = [];
  b.on("error", (error) => failed.push(error));
  conn.write(frame(WU, SYN, 1, 0));
  const channel = await session.acceptChannel();
  const seen = record(channel);
  conn.write(data(1, Buffer.alloc(100_000, 1)));
  conn.destroy();
  // Goes out before the next input is read, and finds nobody.
  channel.write(Buffer.from("too late"));
  await session.closed;
  assert.equal(Buffer.concat(seen.data).length, 100_000);
  assert.deepEqual(seen.events, ["close: session shutdown"]);
  assert.equal(session.error?.code, "ERR_YAMUX_EOF");
  assert.deepEqual(failed, []);
});

test("a handler that throws loses its channel, not the session", limit, async () => {
  const peer = raw("server");
  await peer.send(frame(WU, SYN, 1, 0));
  const channel = await peer.session.acceptChannel();
  let closed: Error | undefined;
  channel.attach({
    onData() {
      throw new Error("my mistake");
    },
    onEnd() {},
    onClose(error) {
      closed = error;
    },
  });
  await peer.send(data(1, "x"));
  await peer.expect(frame(WU, ACK, 1, 0), frame(WU, RST, 1, 0));
  assert.equal(String(closed?.cause), "Error: my mistake");
  assert.equal(peer.session.state, "open");
  await peer.end();
});

test("pause holds back the end too; a new handler is told of what the old one knew", limit, async () => {
  const peer = raw("server");
  await peer.send(frame(WU, SYN, 1, 0));
  const channel = await peer.session.acceptChannel();
  const first = record(channel);
  channel.pause();
  await peer.send(data(1, "a"), frame(WU, FIN, 1, 0));
  assert.deepEqual([first.data.length, first.events], [0, []]);
  channel.resume();
  assert.deepEqual([String(first.data[0]), first.events], ["a", ["end"]]);
  await peer.send(frame(WU, SYN, 3, 0));
  const other = await peer.session.acceptChannel();
  const end = record(other);
  other.pause();
  await peer.send(frame(WU, FIN, 3, 0));
  assert.deepEqual(end.events, []);
  other.resume();
  assert.deepEqual(end.events, ["end"]);
  channel.end();
  assert.deepEqual(first.events, ["end"]);
  await delay(1);
  assert.deepEqual(first.events, ["end", "close"]);
  const second = record(channel);
  assert.deepEqual(second.events, []);
  await delay(1);
  assert.deepEqual(second.events, ["end", "close"]);
  await peer.end();
});

test("iteration ends with close() and with the peer's end, and throws otherwise", limit, async () => {
  for (const how of ["close", "peer", "failure"] as const) {
    const peer = raw("server");
    const ids: number[] = [];
    const iterating = (async () => {
      for await (const stream of peer.session) {
        stream.on("error", () => {});
        ids.push(stream.id);
      }
    })().then(
      () => "ended",
      (error: { code: string }) => error.code,
    );
    await peer.send(frame(WU, SYN, 1, 0), frame(WU, SYN, 3, 0));
    if (how === "close") await peer.session.close();
    else if (how === "failure") await peer.send(frame(9, 0, 0, 0));
    if (how === "peer") await peer.end();
    assert.equal(await iterating, how === "failure" ? "ERR_YAMUX_INVALID_MSG_TYPE" : "ended");
    assert.deepEqual(ids, [1, 3]);
    await peer.end();
  }
});

test("the configuration is checked as Go checks it", () => {
  const [a] = pipePair();
  const bad: [SessionConfig, RegExp][] = [
    [{ acceptBacklog: 0 }, /backlog must be positive/],
    [{ acceptBacklog: -1 }, /backlog must be positive/],
    [{ acceptBacklog: 1.5 }, /backlog/],
    [{ keepAliveInterval: 0 }, /keepAliveInterval/],
    [{ keepAliveInterval: Number.NaN }, /keepAliveInterval/],
    [{ maxStreamWindowSize: 262_143 }, /MaxStreamWindowSize must be at least 262144/],
    [{ maxStreamWindowSize: 2 ** 32 }, /MaxStreamWindowSize/],
    [{ connectionWriteTimeout: 0 }, /connectionWriteTimeout/],
    [{ streamOpenTimeout: -0.5 }, /streamOpenTimeout/],
    [{ streamCloseTimeout: -1 }, /streamCloseTimeout/],
  ];
  for (const [config, message] of bad)
    assert.throws(() => Session.client(a, config), { code: "ERR_YAMUX_INVALID_CONFIG", message });
  a.destroy();
  assert.deepEqual(resolveConfig({ acceptBacklog: undefined }), {
    acceptBacklog: 256,
    enableKeepAlive: true,
    keepAliveInterval: 30_000,
    connectionWriteTimeout: 10_000,
    maxStreamWindowSize: 262_144,
    streamOpenTimeout: 75_000,
    streamCloseTimeout: 300_000,
  });
});
