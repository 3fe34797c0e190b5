// Sessions on sockets that the caller brings: read in place where that can be, by `data` events else.
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { Session } from "../../../src/yamux/index.js";
import { connectionKinds, pattern, readAll, sessions, tlsOver, tlsPair, unixPair } from "./support.js";

/** Whether a session reads the connection by events. */
const byEvents = (conn: { listenerCount(name: string): number }): boolean => conn.listenerCount("data") > 0;

for (const [name, pair] of connectionKinds) {
  test(`${name}: streams side by side come through whole, in place only over sockets`, async (t) => {
    const [a, b] = await pair();
    const { client, server } = sessions(t, [a, b]);
    assert.deepEqual([byEvents(a), byEvents(b)], Array(2).fill(name === "pipes"));
    const sizes = [1, 20_000, 300_000, 2_000_000];
    const answers = await Promise.all(
      sizes.map(async (size, seed) => {
        const sent = pattern(size, seed + 1);
        const stream = await client.open();
        const peer = await server.accept();
        peer.pipe(peer);
        stream.end(sent);
        return (await readAll(stream)).equals(sent);
      }),
    );
    assert.deepEqual(answers, Array(4).fill(true));
  });
}

test("a Node that nobody has tried it on is read by events, and all comes through", async (t) => {
  const known = process.versions;
  Object.defineProperty(process, "versions", { value: { ...known, node: "99.0.0" } });
  const [a, b] = await unixPair();
  const { client, server } = sessions(t, [a, b]);
  Object.defineProperty(process, "versions", { value: known });
  assert.deepEqual([byEvents(a), byEvents(b)], [true, true]);
  const sent = pattern(1_000_000);
  (await client.open()).end(sent);
  assert.ok((await readAll(await server.accept())).equals(sent));
});

test("a session may begin on a socket that still connects", async (t) => {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const a = connect((listener.address() as AddressInfo).port, "127.0.0.1");
  const client = Session.client(a);
  assert.ok(a.connecting && byEvents(a));
  const [b] = (await once(listener, "connection")) as [Socket];
  listener.close();
  const server = Session.server(b);
  t.after(() => Promise.all([client.close(), server.close()]));
  const sent = pattern(1_000_000);
  (await client.open()).end(sent);
  assert.ok((await readAll(await server.accept())).equals(sent));
});

test("TLS in streams of a session over TLS: neither overwrites what the other is reading", async (t) => {
  const outer = sessions(t, await tlsPair());
  const inner = await Promise.all(
    [1, 2].map(async () => {
      const stream = await outer.client.open();
      const [a, b] = await tlsOver([stream, await outer.server.accept()]);
      const of = sessions(t, [a, b]);
      assert.deepEqual([byEvents(a), byEvents(b)], [false, false]);
      return of;
    }),
  );
  // Small messages: what one read brings has many of them, for both.
  const arrived = await Promise.all(
    inner.map(async ({ client, server }, seed) => {
      const stream = await client.open();
      const peer = await server.accept();
      peer.pipe(peer);
      const sent = pattern(500_000, seed + 1);
      for (let at = 0; at < sent.length; at += 1000) {
        stream.write(sent.subarray(at, at + 1000));
        if (at % 10_000 === 0) await new Promise(setImmediate);
      }
      stream.end();
      return (await readAll(stream)).equals(sent);
    }),
  );
  assert.deepEqual(arrived, [true, true]);
});
