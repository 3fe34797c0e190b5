// What streams may cost, and what is left of them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Channel, Stream } from "../../../src/yamux/index.js";
import { Session } from "../../../src/yamux/index.js";
import { data, frame, SYN, WU } from "../../conformance/yamux/hostile.js";
import { delay, pipePair, sessions, unixPair, until } from "../../unit/yamux/support.js";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

async function memory(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    collect();
    await delay(5);
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const limit = { timeout: 120_000 };
const quiet = { enableKeepAlive: false };
const WINDOW = 262_144;

for (const face of ["channel", "Duplex"] as const) {
  for (const size of [1, 100, 5000, 65_536]) {
    test(
      `a ${face} that is never read holds its window and little more, in frames of ${size}`,
      limit,
      async () => {
        const [conn, b] = await unixPair();
        const server = Session.server(b, quiet);
        conn.resume();
        conn.write(frame(WU, SYN, 1, 0));
        const channel = face === "channel" ? await server.acceptChannel() : await server.accept();
        if (face === "channel") {
          (channel as Channel).attach({ onData() {}, onEnd() {}, onClose() {} });
          (channel as Channel).pause();
        } else {
          (channel as Stream).on("error", () => {});
        }
        // Between the larger ones comes much that nobody keeps, in the same reads.
        const filler = size === 5000 ? data(99, Buffer.alloc(50_000)) : Buffer.alloc(0);
        const payload = Buffer.concat([data(1, Buffer.alloc(size, 1)), filler]);
        const input = Buffer.concat(Array.from({ length: Math.floor(WINDOW / size) }, () => payload));
        const before = await memory();
        // In pieces that do not end with a frame.
        for (let at = 0; at < input.length; at += 10_001) conn.write(input.subarray(at, at + 10_001));
        await until(() => conn.writableLength === 0, "the writes");
        await delay(50);
        assert.equal(server.state, "open");
        const held = (await memory()) - before;
        assert.ok(held < 2.5 * WINDOW, `${held} bytes for a window of ${WINDOW}`);
        await server.close();
        conn.destroy();
      },
    );
  }
}

test("a writer to a full window holds what it was given", limit, async (t) => {
  const { client, server } = sessions(t, await unixPair(), quiet);
  const channel = await client.openChannel();
  channel.attach({ onData() {}, onEnd() {}, onClose() {} });
  await server.acceptChannel();
  const given = Array.from({ length: 64 }, () => Buffer.alloc(WINDOW, 1));
  const before = await memory();
  for (const chunk of given) channel.write(chunk);
  await delay(50);
  const held = (await memory()) - before;
  // The other end, in this process too, holds one window.
  assert.ok(held < 3 * WINDOW, `${held} bytes beyond those given`);
});

test("100,000 streams leave nothing", limit, async (t) => {
  const { client, server } = sessions(t, await unixPair(), quiet);
  const ends = { onData() {}, onClose() {} };
  void (async () => {
    for (;;) {
      const channel = await server.acceptChannel();
      channel.attach({ ...ends, onEnd: () => channel.end() });
    }
  })().catch(() => {});
  const run = async (count: number): Promise<void> => {
    const lane = async (): Promise<void> => {
      for (let i = 0; i < count / 50; i++) {
        const channel = await client.openChannel();
        await new Promise<void>((resolve) => {
          channel.attach({ ...ends, onEnd() {}, onClose: () => resolve() });
          channel.write(Buffer.from("hi"));
          channel.end();
        });
      }
    };
    await Promise.all(Array.from({ length: 50 }, lane));
    await until(() => client.numStreams + server.numStreams === 0, "all streams over");
  };
  await run(5000);
  const before = await memory();
  await run(100_000);
  const left = (await memory()) - before;
  assert.ok(left < 1_000_000, `${left} bytes left`);
});

for (const face of ["channel", "Duplex"] as const) {
  test(`10,000 idle streams cost at most 8 KiB each, as ${face}`, limit, async (t) => {
    const { client, server } = sessions(t, await unixPair(), quiet);
    const ends = { onData() {}, onEnd() {}, onClose() {} };
    const kept: (Channel | Stream)[] = [];
    const warm = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        if (face === "channel") {
          const [channel, peer] = await Promise.all([client.openChannel(), server.acceptChannel()]);
          for (const each of [channel, peer]) each.attach(ends);
          kept.push(channel, peer);
        } else {
          kept.push(...(await Promise.all([client.open(), server.accept()])));
        }
      }
    };
    await warm(100);
    const before = await memory();
    await warm(10_000);
    const each = ((await memory()) - before) / 20_000;
    t.diagnostic(`${Math.round(each)} bytes for each end`);
    assert.ok(each <= 8192, `${each} bytes for each end of a stream`);
  });
}

test("no timer keeps the process alive", limit, async () => {
  const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
  const before = timers();
  const [a, b] = pipePair();
  const client = Session.client(a);
  const server = Session.server(b);
  const stream = (await client.open()).on("error", () => {});
  stream.end("half closed");
  const peer = (await server.accept()).on("error", () => {});
  (await client.open()).on("error", () => {}).write("not acknowledged");
  const ping = client.ping();
  assert.equal(timers(), before);
  await ping;
  a.blocked = true;
  const lost = client.ping();
  peer.write("stalled");
  const closing = client.close();
  assert.equal(timers(), before);
  await assert.rejects(lost, { code: "ERR_YAMUX_SESSION_SHUTDOWN" });
  a.unblock();
  await Promise.all([closing, server.close()]);
});
