// The tests of hashicorp/yamux's session_test.go by their names. Where Go waits with a deadline or a context, this
// waits with an AbortSignal; where Go looks into a stream, this looks at what the peer sees.
import assert from "node:assert/strict";
import { once } from "node:events";
import type { Duplex } from "node:stream";
import { type TestContext, test } from "node:test";
import type { SessionConfig, Stream } from "../../../src/yamux/index.js";
import { Session } from "../../../src/yamux/index.js";
import type { MuxChannel } from "../../../src/yamux/mux-channel.js";
import {
  connectionKinds,
  delay,
  type PipeEnd,
  pattern,
  pipePair,
  readAll,
  sessions,
  tcpPair,
  tlsPair,
  until,
} from "../../unit/yamux/support.js";
import { take, write } from "./stream-server.js";

// Go's testConf and testConfNoKeepAlive, but for the 250 ms that a write or an answer may take: a busy machine takes longer.
const config: SessionConfig = { acceptBacklog: 64, keepAliveInterval: 100 };
const quiet: SessionConfig = { ...config, enableKeepAlive: false };
/** For tests in which the time runs out. */
const impatient = { connectionWriteTimeout: 250 } satisfies SessionConfig;
const limit = { timeout: 30_000 };

function overAll(name: string, run: (t: TestContext, pair: [Duplex, Duplex]) => Promise<void>): void {
  for (const [kind, pair] of connectionKinds)
    test(`${name} over ${kind}`, limit, async (t) => run(t, await pair()));
}

function ignore(stream: Stream): Stream {
  return stream.on("error", () => {});
}

test("Ping", limit, async (t) => {
  const { client, server } = sessions(t, pipePair(), config);
  assert.ok((await client.ping()) > 0);
  assert.ok((await server.ping()) > 0);
});

test("Ping_Timeout", limit, async (t) => {
  const pair = pipePair();
  const { server } = sessions(t, pair, { ...quiet, ...impatient });
  pair[0].blocked = true;
  await assert.rejects(server.ping(), { code: "ERR_YAMUX_TIMEOUT", message: "i/o deadline reached" });
  pair[0].unblock();
  assert.ok((await server.ping()) > 0);
});

overAll("CloseBeforeAck", async (t, pair) => {
  const { client, server } = sessions(t, pair, { ...config, acceptBacklog: 8 });
  const opened = await Promise.all(Array.from({ length: 8 }, () => client.open()));
  for (const stream of opened) stream.end().resume();
  const ninth = client.open();
  for (let i = 0; i < 8; i++) (await server.accept()).end().resume();
  (await ninth).end().resume();
  (await server.accept()).end().resume();
  await until(() => client.numStreams + server.numStreams === 0, "all streams closed");
});

test("Accept", limit, async (t) => {
  const { client, server } = sessions(t, pipePair(), config);
  const [c1, s1, c2, s2] = await Promise.all([
    client.open(),
    server.accept(),
    client.accept(),
    server.open(),
  ]);
  assert.deepEqual([c1.id, s1.id, c2.id, s2.id], [1, 1, 2, 2]);
  for (const stream of [c1, s1, c2, s2]) stream.end().resume();
  await until(() => client.numStreams + server.numStreams === 0, "all streams closed");
});

overAll("OpenStreamTimeout", async (t, pair) => {
  const { client } = sessions(t, pair, { ...config, streamOpenTimeout: 25 });
  const stream = ignore(await client.open());
  await client.closed;
  assert.equal(client.error?.code, "ERR_YAMUX_TIMEOUT");
  assert.match(client.error?.message ?? "", /aborted stream open/);
  assert.equal(stream.state, "closed");
});

test("Close_closeTimeout", limit, async (t) => {
  const { client, server } = sessions(t, await tlsPair(), { ...config, streamCloseTimeout: 10 });
  const stream = await client.open();
  const reset = once(stream, "error");
  const closed = once((await server.accept()).end(), "error");
  assert.equal((await closed)[0].code, "ERR_YAMUX_STREAM_CLOSE_TIMEOUT");
  const [error] = await reset;
  assert.equal(error.message, "connection reset");
  assert.equal(client.numStreams + server.numStreams, 0);
  assert.equal(stream.state, "reset");
  // And for a writer on the direct path.
  const channel = await client.openChannel();
  channel.attach({ onData() {}, onEnd() {}, onClose() {} });
  const peer = await server.acceptChannel();
  peer.attach({ onData() {}, onEnd() {}, onClose() {} });
  peer.end();
  await until(() => channel.state === "reset", "the reset");
  assert.throws(() => channel.write(Buffer.from("hello")), { message: "connection reset" });
});

test("NonNilInterface", limit, async (t) => {
  const { server } = sessions(t, pipePair(), config);
  await server.close();
  await assert.rejects(server.accept(), { code: "ERR_YAMUX_SESSION_SHUTDOWN", message: "session shutdown" });
  await assert.rejects(server.open(), { code: "ERR_YAMUX_SESSION_SHUTDOWN" });
});

test("SendData_Small", limit, async (t) => {
  const { client, server } = sessions(t, pipePair(), config);
  const served = (async () => {
    const stream = await server.accept();
    assert.equal(server.numStreams, 1);
    for (let i = 0; i < 1000; i++) assert.equal((await take(stream, 4))?.toString(), "test");
    stream.end().resume();
  })();
  const stream = await client.open();
  assert.equal(client.numStreams, 1);
  for (let i = 0; i < 1000; i++) await write(stream, Buffer.from("test"));
  stream.end().resume();
  await served;
  await until(() => client.numStreams + server.numStreams === 0, "both streams closed");
});

test("SendData_Large", limit, async (t) => {
  const { client, server } = sessions(t, await tcpPair(), config);
  const size = 250 << 20;
  const chunk = pattern(1 << 20);
  const stream = await client.open();
  const sent = (async () => {
    for (let at = 0; at < size; at += chunk.length) await write(stream, chunk);
    stream.end().resume();
  })();
  const reader = await server.accept();
  for (let at = 0; at < size; at += 4096) {
    const piece = await take(reader, 4096);
    const from = at % chunk.length;
    if (piece === null || chunk.compare(piece, 0, 4096, from, from + 4096) !== 0)
      assert.fail(`bytes from ${at} differ`);
  }
  reader.end().resume();
  await sent;
  await until(() => client.numStreams + server.numStreams === 0, "both streams closed");
});

test("GoAway", limit, async (t) => {
  const { client, server } = sessions(t, pipePair(), config);
  server.goAway();
  await until(() => client.state === "remoteGoAway", "the GoAway");
  await assert.rejects(client.open(), {
    code: "ERR_YAMUX_REMOTE_GO_AWAY",
    message: "remote end is not accepting connections",
  });
});

test("ManyStreams", limit, async (t) => {
  const { client, server } = sessions(t, pipePair(), config);
  await Promise.all(
    Array.from({ length: 50 }, async () => {
      const stream = await client.open();
      for (let i = 0; i < 1000; i++) stream.write("hello678");
      stream.end().resume();
      const reader = await server.accept();
      assert.equal((await readAll(reader)).toString(), "hello678".repeat(1000));
      reader.end();
    }),
  );
});

test("ManyStreams_PingPong", limit, async (t) => {
  const { client, server } = sessions(t, pipePair(), config);
  await Promise.all(
    Array.from({ length: 50 }, async () => {
      const opened = client.open();
      const answering = server.accept().then(async (stream) => {
        for (let i = 0; i < 1000; i++) {
          assert.equal((await take(stream, 4))?.toString(), "ping");
          stream.write("pong");
        }
        stream.end().resume();
      });
      const stream = await opened;
      for (let i = 0; i < 1000; i++) {
        stream.write("ping");
        assert.equal((await take(stream, 4))?.toString(), "pong");
      }
      stream.end().resume();
      await answering;
    }),
  );
});

overAll("HalfClose", async (t, pair) => {
  const { client, server } = sessions(t, pair, config);
  const stream = await client.open();
  await write(stream, Buffer.from("a"));
  const peer = await server.accept();
  peer.end();
  assert.equal((await take(peer, 1))?.toString(), "a");
  await write(stream, Buffer.from("bcd"));
  stream.end();
  assert.equal((await take(peer, 3))?.toString(), "bcd");
  assert.equal(await take(peer, 1), null);
  assert.ok(peer.readableEnded);
  stream.resume();
});

test("HalfCloseSessionShutdown", limit, async (t) => {
  const { client, server } = sessions(t, await tcpPair(), config);
  const data = pattern(262_144);
  const stream = await client.open();
  const reader = await server.accept();
  await write(stream, data);
  stream.end();
  await client.close();
  // Go ends the reading here; so does this, since the sender had ended its stream.
  ignore(reader);
  assert.deepEqual(await readAll(reader), data);
});

test("ReadDeadline", limit, async (t) => {
  const { client, server } = sessions(t, pipePair(), config);
  const stream = await client.open();
  const peer = await server.accept();
  await assert.rejects(once(stream, "readable", { signal: AbortSignal.timeout(5) }), { name: "AbortError" });
  // The stream itself did not suffer.
  peer.write("late");
  assert.equal((await take(stream, 4))?.toString(), "late");
  for (const each of [stream, peer]) ignore(each).destroy();
});

test("ReadDeadline_BlockedRead", limit, async (t) => {
  const { client } = sessions(t, pipePair(), config);
  const stream = ignore(await client.open());
  const controller = new AbortController();
  const reading = once(stream, "readable", { signal: controller.signal });
  await delay(20);
  controller.abort();
  await assert.rejects(reading, { name: "AbortError" });
  assert.equal(stream.destroyed, false);
});

test("WriteDeadline", limit, async (t) => {
  const { client, server } = sessions(t, pipePair(), config);
  const stream = ignore(await client.open());
  const peer = ignore(await server.accept());
  await write(stream, Buffer.alloc(262_144));
  let done = false;
  stream.write("x", () => {
    done = true;
  });
  await delay(50);
  assert.equal(done, false, "a write beyond the window completed");
  // Once the peer reads, it does.
  peer.resume();
  await until(() => done, "the write");
});

test("WriteDeadline_BlockedWrite", limit, async (t) => {
  const { client } = sessions(t, pipePair(), config);
  const stream = await client.open();
  const failed = once(stream, "error");
  const outcome = write(stream, Buffer.alloc(1 << 20));
  const signal = AbortSignal.timeout(20);
  signal.addEventListener("abort", () => stream.destroy(signal.reason as Error));
  await assert.rejects(outcome, { name: "TimeoutError" });
  assert.equal((await failed)[0].name, "TimeoutError");
  assert.equal(client.numStreams, 0);
});

test("BacklogExceeded", limit, async (t) => {
  const { client, server } = sessions(t, pipePair(), config);
  for (let i = 0; i < 64; i++) ignore(await client.open()).write("foo");
  const next = client.open();
  assert.equal(await Promise.race([next, delay(10).then(() => "waits")]), "waits");
  const refused = assert.rejects(next, { code: "ERR_YAMUX_SESSION_SHUTDOWN" });
  await server.close();
  await refused;
});

overAll("KeepAlive", async (t, pair) => {
  const started = [0, 0];
  const answered = [0, 0];
  for (const [side, conn] of pair.entries()) {
    const write = conn.write.bind(conn) as (...args: unknown[]) => boolean;
    conn.write = (...args: unknown[]) => {
      const bytes = Buffer.from(args[0] as Uint8Array);
      if (bytes.includes(Buffer.from([0, 2, 0, 1]))) started[side]!++;
      if (bytes.includes(Buffer.from([0, 2, 0, 2]))) answered[side]!++;
      return write(...args);
    };
  }
  const { client, server } = sessions(t, pair, { ...config, keepAliveInterval: 20 });
  // Answers are to pings of the other side that arrived.
  const all = (): number[] => [...started, ...answered];
  await until(() => all().every((count) => count >= 2), "two pings from each side, and their answers");
  assert.equal(client.state, "open");
  assert.equal(server.state, "open");
});

test("KeepAlive_Timeout", limit, async (t) => {
  const pair = pipePair();
  const { server } = sessions(t, pair, quiet, { ...config, ...impatient });
  const accepting = server.accept();
  pair[0].blocked = true;
  await assert.rejects(accepting, { code: "ERR_YAMUX_KEEPALIVE_TIMEOUT", message: "keepalive timeout" });
  assert.ok(server.state === "closing" || server.state === "closed");
  assert.equal(server.error?.code, "ERR_YAMUX_KEEPALIVE_TIMEOUT");
  pair[0].unblock();
});

test("LargeWindow", limit, async (t) => {
  const { client, server } = sessions(t, pipePair(), { ...config, maxStreamWindowSize: 524_288 });
  const stream = ignore(await client.open());
  const peer = ignore(await server.accept());
  // The larger window comes with the acknowledgement.
  await write(stream, Buffer.alloc(524_288));
  peer.destroy();
});

test("SendData_VeryLarge", limit, async (t) => {
  // Go sends 16 times 1 GiB; the window turns over often enough in 16 times 16 MiB.
  const { client, server } = sessions(t, await tcpPair(), config);
  const size = 16 << 20;
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      const serving = server.accept().then(async (stream) => {
        let count = 0;
        stream.on("data", (chunk: Buffer) => {
          count += chunk.length;
        });
        await once(stream, "end");
        stream.end(String(count));
      });
      const stream = await client.open();
      const block = Buffer.alloc(65_536);
      for (let at = 0; at < size; at += block.length) if (!stream.write(block)) await once(stream, "drain");
      stream.end();
      assert.equal((await readAll(stream)).toString(), String(size));
      await serving;
    }),
  );
});

test("BacklogExceeded_Accept", limit, async (t) => {
  const { client, server } = sessions(t, pipePair(), config);
  const count = 5 * 64;
  const serving = (async () => {
    for (let i = 0; i < count; i++) (await server.accept()).end().resume();
  })();
  for (let i = 0; i < count; i++) {
    const stream = await client.open();
    stream.end("foo").resume();
  }
  await serving;
});

test("Session_WindowUpdateWriteDuringRead", limit, async (t) => {
  const pair = pipePair();
  const { client, server } = sessions(t, pair, { ...quiet, ...impatient });
  const stream = await client.open();
  const peer = ignore(await server.accept());
  await until(() => stream.state === "established", "the acknowledgement");
  pair[0].blocked = true;
  peer.write(Buffer.alloc(262_143));
  // Reading it asks for a window update, which cannot be sent.
  stream.resume();
  const [error] = await once(stream, "error");
  assert.equal(error.code, "ERR_YAMUX_CONNECTION_WRITE_TIMEOUT");
  assert.equal(error.message, "connection write timeout");
  pair[0].unblock();
});

overAll("Session_PartialReadWindowUpdate", async (t, pair) => {
  const { client, server } = sessions(t, pair, quiet);
  const stream = ignore(await client.open());
  const writer = (await server.acceptChannel()) as MuxChannel;
  writer.attach({ onData() {}, onEnd() {}, onClose() {} });
  assert.equal(writer.windows.send, 262_144);
  writer.write(Buffer.alloc(262_144));
  assert.equal(writer.windows.send, 0);
  const part = 131_073;
  assert.equal((await take(stream, part))?.length, part);
  await until(() => writer.windows.send > 0, "the window update");
  assert.equal(writer.windows.send, part);
});

test("Session_sendNoWait_Timeout", limit, async (t) => {
  // Go's queue of 64 headers fills up, and the next one fails after the write timeout. Here the answers to a peer that
  // does not read are counted: pings beyond a bound are not answered, and nothing waits.
  const pair = pipePair();
  const { client, server } = sessions(t, pair, quiet);
  const stream = ignore(await client.open());
  await server.acceptChannel();
  await until(() => stream.state === "established", "the acknowledgement");
  pair[0].blocked = true;
  const ping = Buffer.from([0, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9]);
  for (let i = 0; i < 10; i++) pair[0].push(Buffer.concat(Array.from({ length: 5000 }, () => ping)));
  await until(() => pair[0].readableLength === 0, "the end of the pings");
  assert.equal(client.state, "open");
  let answered = 0;
  pair[1].on("data", (chunk: Buffer) => {
    answered += chunk.length / 12;
  });
  pair[0].unblock();
  assert.ok((await client.ping()) > 0);
  assert.ok(answered > 4000 && answered < 5000, `${answered} answers to 50,000 pings`);
});

test("Session_PingOfDeath", limit, async (t) => {
  const pair = pipePair();
  const { client, server } = sessions(t, pair, { ...quiet, ...impatient });
  pair[1].blocked = true;
  // The server cannot answer, and goes on reading all the same.
  await assert.rejects(client.ping(), { code: "ERR_YAMUX_TIMEOUT" });
  await client.openChannel();
  await until(() => server.numStreams === 1, "the stream's arrival");
  pair[1].unblock();
  assert.ok((await client.ping()) > 0);
});

test("Session_ConnectionWriteTimeout", limit, async (t) => {
  const pair: [PipeEnd, PipeEnd] = pipePair();
  const { client, server } = sessions(t, pair, { ...quiet, ...impatient });
  const stream = await client.open();
  ignore(await server.accept());
  pair[0].blocked = true;
  // Go's Write waits for its bytes to be written; here a stream with bytes that cannot be written fails.
  stream.write("hello");
  const [error] = await once(stream, "error");
  assert.equal(error.code, "ERR_YAMUX_CONNECTION_WRITE_TIMEOUT");
  assert.equal(client.state, "open");
  // And so does the next one, while nothing moves.
  const [again] = await once((await client.open()).end("x"), "error");
  assert.equal(again.code, "ERR_YAMUX_CONNECTION_WRITE_TIMEOUT");
  pair[0].unblock();
  assert.ok((await client.ping()) > 0);
});

test("CancelAccept", limit, async (t) => {
  const { client, server } = sessions(t, pipePair(), config);
  const controller = new AbortController();
  const accepting = server.accept({ signal: controller.signal });
  controller.abort();
  await assert.rejects(accepting, { code: "ERR_ABORTED" });
  // The wait that was given up takes no stream away.
  ignore(await client.open());
  ignore(await server.accept());
  assert.ok(server instanceof Session);
});
