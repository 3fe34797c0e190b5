// Random bytes and random frames: a session may end, with a typed error; nothing else may happen.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Channel } from "../../../src/yamux/index.js";
import { Session, YamuxError } from "../../../src/yamux/index.js";
import { pipePair, until } from "../../unit/yamux/support.js";

const problems: unknown[] = [];
process.on("unhandledRejection", (error) => problems.push(error));

async function feed(chunks: readonly Uint8Array[]): Promise<void> {
  const [conn, b] = pipePair();
  const server = Session.server(b, {
    enableKeepAlive: false,
    acceptBacklog: 4,
    connectionWriteTimeout: 1000,
  });
  const channels: Channel[] = [];
  let told = 0;
  void (async () => {
    for (let i = 0; ; i++) {
      const channel = await server.acceptChannel();
      let over = false;
      channels.push(channel);
      channel.attach({
        onData(chunk) {
          assert.equal(over, false);
          if (i % 3 === 0) channel.pause();
          if (i % 3 === 1) channel.write(Buffer.from(chunk));
        },
        onEnd() {
          assert.equal(over, false);
          channel.end();
        },
        onClose() {
          assert.equal(over, false);
          over = true;
          told++;
        },
      });
    }
  })().catch((error: unknown) => assert.ok(error instanceof YamuxError));
  conn.resume();
  for (const chunk of chunks) conn.write(chunk);
  conn.end();
  await server.closed;
  assert.ok(server.error instanceof YamuxError);
  assert.equal(server.numStreams, 0);
  // What was held back comes first, then the close.
  await until(() => {
    for (const channel of channels) channel.resume();
    return told === channels.length;
  }, "all handlers told");
}

const header = fc
  .record({
    version: fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1),
    type: fc.constantFrom(0, 0, 0, 1, 1, 1, 2, 3, 4),
    flags: fc.constantFrom(0, 0, 0, 1, 1, 1, 2, 4, 8, 5, 9, 0xffff),
    id: fc.constantFrom(0, 1, 1, 2, 3, 3, 5),
    length: fc.constantFrom(0, 0, 1, 5, 5, 100, 262_144, 262_145, 0xffff_ffff),
    honest: fc.constantFrom(true, true, true, false),
  })
  .map((f) => {
    const bytes = Buffer.alloc(12 + (f.type === 0 && f.honest && f.length <= 100 ? f.length : 0), 0x41);
    bytes[0] = f.version;
    bytes[1] = f.type;
    bytes.writeUInt16BE(f.flags, 2);
    bytes.writeUInt32BE(f.id, 4);
    bytes.writeUInt32BE(f.type === 3 ? 0 : f.length, 8);
    return bytes;
  });

test("random frames", { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(header, { maxLength: 40 }), async (frames) => feed(frames)),
    { numRuns: 1000 },
  );
  assert.deepEqual(problems, []);
});

test("random bytes", { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 10 }), async (chunks) =>
      feed(chunks),
    ),
    { numRuns: 100 },
  );
  assert.deepEqual(problems, []);
});
