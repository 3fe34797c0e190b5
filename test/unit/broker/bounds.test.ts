// What a peer may leave lying about at a broker: raw frames, since Go's and this project's own sessions hold themselves back.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { MuxBroker } from "../../../src/broker/mux-broker.js";
import { type Logger, nullLogger } from "../../../src/hclog/logger.js";
import { Session } from "../../../src/yamux/index.js";
import { data, frame, RST, SYN, WU } from "../../conformance/yamux/hostile.js";
import { delay, type PipeEnd, pipePair, until } from "../yamux/support.js";

function flooded(t: TestContext): { session: Session; broker: MuxBroker; conn: PipeEnd; kinds: Set<string> } {
  const [conn, b] = pipePair();
  const session = Session.server(b, { enableKeepAlive: false });
  const kinds = new Set<string>();
  const logger: Logger = { ...nullLogger, warn: (message) => void kinds.add(message) };
  const broker = new MuxBroker(session, { logger, timeout: 60_000 });
  conn.resume();
  t.after(() => session.close());
  return { session, broker, conn, kinds };
}

const odd = (n: number): number => 2 * n + 1;

function idBytes(id: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(id);
  return bytes;
}

test("streams without an id: 256, as many in the backlog, and the rest is refused", async (t) => {
  const { session, broker, conn } = flooded(t);
  for (let batch = 0; batch < 20; batch++) {
    conn.write(Buffer.concat(Array.from({ length: 50 }, (_, i) => frame(WU, SYN, odd(batch * 50 + i), 0))));
    await delay(1);
  }
  await delay(20);
  assert.equal(session.numStreams, 512);
  // Those that say their id at last are served, and make room for others.
  conn.write(data(1, idBytes(7)));
  (await broker.accept(7)).destroy();
  await until(() => session.numStreams === 511, "one stream less");
});

test("streams that nobody accepts: 1,024, and the rest is reset", async (t) => {
  const { session, broker, conn, kinds } = flooded(t);
  let resets = 0;
  conn.on("data", (chunk: Buffer) => {
    for (let at = 0; at < chunk.length; at += 12) if (chunk.readUInt16BE(at + 2) & RST) resets++;
  });
  for (let batch = 0; batch < 24; batch++) {
    const streams = Array.from({ length: 50 }, (_, i) => {
      const id = batch * 50 + i;
      return Buffer.concat([frame(WU, SYN, odd(id), 0), data(odd(id), idBytes(id))]);
    });
    conn.write(Buffer.concat(streams));
    await delay(1);
  }
  await until(() => resets === 1200 - 1024, "the last ones reset");
  assert.equal(session.numStreams, 1024);
  assert.deepEqual([...kinds], ["closing a brokered stream: too many wait to be accepted"]);
  // The first ones are still there, and each that is accepted makes room.
  (await broker.accept(0)).destroy();
  conn.write(Buffer.concat([frame(WU, SYN, odd(5000), 0), data(odd(5000), idBytes(5000))]));
  await delay(20);
  assert.equal(session.numStreams, 1024);
  (await broker.accept(5000)).destroy();
});

test("bytes of streams that nobody accepts: 32 MiB, and the last streams are reset", async (t) => {
  const { session, broker, conn, kinds } = flooded(t);
  const payload = Buffer.alloc(262_140);
  for (let id = 0; id < 200; id++) {
    conn.write(
      Buffer.concat([frame(WU, SYN, odd(id), 0), data(odd(id), idBytes(id)), data(odd(id), payload)]),
    );
    await delay(0);
  }
  await until(() => kinds.size > 0 && session.numStreams <= 128, "the last ones reset");
  assert.deepEqual(
    [...kinds],
    ["closing a brokered stream: those that wait to be accepted hold too many bytes"],
  );
  assert.ok(session.numStreams > 100, `${session.numStreams} streams are left`);
  (await broker.accept(0)).destroy();
});

test("lines of one kind are left out after ten, and told of when the next are due", async (t) => {
  const lines: [string, unknown][] = [];
  const { SparingLog } = await import("../../../src/broker/sparing-log.js");
  let now = 0;
  t.mock.method(performance, "now", () => now);
  const log = new SparingLog({
    ...nullLogger,
    warn: (message, fields) => void lines.push([message, fields]),
  });
  for (let i = 0; i < 25; i++) log.warn("a", { i });
  log.warn("b", {});
  assert.deepEqual(
    lines.map(([message]) => message),
    [...Array.from({ length: 10 }, () => "a"), "b"],
  );
  lines.length = 0;
  now = 10_000;
  log.warn("a", { i: 25 });
  log.warn("b", {});
  assert.deepEqual(lines, [
    ["a (and others of the kind before)", { leftOut: 15 }],
    ["a", { i: 25 }],
    ["b", {}],
  ]);
});
