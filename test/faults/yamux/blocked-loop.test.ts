// A process that stands still for a while (a long computation, SIGSTOP, a sleeping laptop) has not been left by its
// peer: what is late then is this process.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Session, type Stream } from "../../../src/yamux/index.js";
import { delay, pattern, unixPair, until } from "../../unit/yamux/support.js";

function standStill(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

test("a blocked event loop makes keepalive end no session", { timeout: 60_000 }, async (t) => {
  const [a, b] = await unixPair();
  const config = { keepAliveInterval: 5, connectionWriteTimeout: 250 };
  const sessions = [Session.client(a, config), Session.server(b, config)] as const;
  t.after(() => Promise.all(sessions.map((session) => session.close())));
  for (let i = 0; i < 4; i++) {
    await delay(1 + i);
    standStill(600);
    await delay(1);
    assert.deepEqual(
      sessions.map(({ error }) => error),
      [undefined, undefined],
    );
  }
});

test("a ping of a process that stands still is answered", { timeout: 60_000 }, async (t) => {
  const [a, b] = await unixPair();
  const config = { enableKeepAlive: false, connectionWriteTimeout: 250 };
  const sessions = [Session.client(a, config), Session.server(b, config)] as const;
  t.after(() => Promise.all(sessions.map((session) => session.close())));
  for (let i = 0; i < 2; i++) {
    const ping = sessions[0].ping();
    standStill(600);
    await ping;
  }
});

test("writes under way while the process stands still reset no stream", { timeout: 60_000 }, async (t) => {
  const [a, b] = await unixPair();
  const config = { enableKeepAlive: false, connectionWriteTimeout: 250 };
  const [client, server] = [Session.client(a, config), Session.server(b, config)] as const;
  t.after(() => Promise.all([client.close(), server.close()]));
  const each = 1_000_000;
  let length = 0;
  let busy = 0;
  const writers: Stream[] = [];
  for (let i = 0; i < 16; i++) {
    const writer = await client.open();
    writers.push(writer);
    writer.end(pattern(each));
    (await server.accept()).on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length < 4_000_000 * busy || busy > 3) return;
      busy++;
      standStill(600);
    });
  }
  await until(() => length === 16 * each || writers.some(({ closed }) => closed), "everything, or an end");
  assert.deepEqual(writers.map(({ errored }) => errored).filter(Boolean), []);
  assert.equal(length, 16 * each);
});

test("streams that wait to be accepted while the process stands still are in time", {
  timeout: 60_000,
}, async (t) => {
  const [a, b] = await unixPair();
  const config = { enableKeepAlive: false, streamOpenTimeout: 250 };
  const [client, server] = [Session.client(a, config), Session.server(b, config)] as const;
  t.after(() => Promise.all([client.close(), server.close()]));
  for (let i = 0; i < 2; i++) {
    const accepting = server.accept();
    const stream = await client.open();
    standStill(600);
    const accepted = await accepting;
    await until(() => stream.state === "established" || client.error !== undefined, "the acknowledgement");
    assert.equal(client.error, undefined);
    accepted.destroy();
  }
});

test("a peer that is gone is found out all the same", { timeout: 60_000 }, async (t) => {
  const [a, b] = await unixPair();
  const client = Session.client(a, { keepAliveInterval: 5, connectionWriteTimeout: 250 });
  t.after(() => client.close());
  b.pause();
  standStill(400);
  await client.closed;
  assert.equal(client.error?.code, "ERR_YAMUX_KEEPALIVE_TIMEOUT");
});
