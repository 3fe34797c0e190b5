import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import type { Channel } from "../../../src/yamux/index.js";
import { dial, Session } from "../../../src/yamux/index.js";
import { frame, PING, SYN, WU } from "../../conformance/yamux/hostile.js";
import { pattern, pipePair, readAll, sessions, tcpPair, unixPair, until } from "./support.js";

for (const [name, pair] of [
  ["pipe", async () => pipePair()],
  ["unix socket", unixPair],
  ["TCP", tcpPair],
] as const) {
  test(`bytes go both ways, and each side ends for itself, over a ${name}`, async (t) => {
    const { client, server } = sessions(t, await pair());
    const sent = pattern(3_000_000, 1);
    const answer = pattern(2_000_000, 2);
    const stream = await client.open();
    stream.end(sent);
    const peer = await server.accept();
    assert.deepEqual(await readAll(peer), sent);
    assert.equal(peer.state, "remoteClosed");
    peer.end(answer);
    assert.deepEqual(await readAll(stream), answer);
    assert.equal(stream.state, "closed");
    assert.equal(client.numStreams + server.numStreams, 0);
  });
}

test("the direct path hands a stream over after the first bytes", async (t) => {
  const { client, server } = sessions(t, await unixPair());
  const payload = pattern(600_000);
  const writer = await client.openChannel();
  writer.attach({ onData() {}, onEnd() {}, onClose() {} });
  writer.write(Buffer.from([1, 2, 3, 4]));
  writer.write(payload);
  writer.end();
  const reader = await server.acceptChannel();
  const received: Buffer[] = [];
  const events: string[] = [];
  const head = await new Promise<Buffer>((resolve) => {
    const first: Buffer[] = [];
    reader.attach({
      onData(chunk) {
        first.push(Buffer.from(chunk));
        const all = Buffer.concat(first);
        if (all.length < 4) return;
        reader.unshift(all.subarray(4));
        resolve(all.subarray(0, 4));
      },
      onEnd: () => events.push("end of the first"),
      onClose: () => events.push("close of the first"),
    });
  });
  assert.deepEqual([...head], [1, 2, 3, 4]);
  await new Promise<void>((resolve) => {
    reader.attach({
      onData: (chunk) => received.push(Buffer.from(chunk)),
      onEnd() {
        events.push("end");
        reader.end();
      },
      onClose(error) {
        events.push(`close ${error}`);
        resolve();
      },
    });
  });
  assert.deepEqual(Buffer.concat(received), payload);
  assert.deepEqual(events, ["end", "close undefined"]);
});

test("a channel becomes a Duplex with the bytes that were given back", async (t) => {
  const { client, server } = sessions(t, pipePair());
  const stream = await client.open();
  stream.end("headand the rest");
  const channel = await server.acceptChannel();
  const duplex = await new Promise<ReturnType<Channel["toDuplex"]>>((resolve) => {
    channel.attach({
      onData(chunk) {
        channel.unshift(chunk.subarray(4));
        resolve(channel.toDuplex());
      },
      onEnd() {},
      onClose() {},
    });
  });
  assert.equal((await readAll(duplex)).toString(), "and the rest");
  duplex.end();
  stream.resume();
  await once(stream, "close");
});

test("dial reads in place and leaves nothing of one read in another", async (t) => {
  const { createServer } = await import("node:net");
  const listener = createServer((socket) => {
    const session = Session.server(socket);
    void session.accept().then((stream) => stream.pipe(stream));
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as { port: number };
  const session = await dial({ host: "127.0.0.1", port });
  t.after(async () => {
    await session.close();
    listener.close();
  });
  const stream = await session.open();
  const payload = pattern(1_500_000);
  stream.end(payload);
  assert.deepEqual(await readAll(stream), payload);
});

test("ping measures a round trip; close ends both sides", async (t) => {
  const { client, server } = sessions(t, await tcpPair());
  assert.ok((await client.ping()) > 0);
  assert.ok((await server.ping()) > 0);
  const idle = await client.open();
  const failed = once(idle, "error");
  await client.close();
  assert.equal(client.state, "closed");
  assert.equal(client.error, undefined);
  await server.closed;
  assert.equal(server.error?.code, "ERR_YAMUX_EOF");
  assert.equal((await failed)[0].code, "ERR_YAMUX_SESSION_SHUTDOWN");
});

test("waits end with their signal", async (t) => {
  const { client } = sessions(t, pipePair(), { acceptBacklog: 1 });
  const channel = await client.openChannel();
  for (const wait of [
    (signal: AbortSignal) => client.open({ signal }),
    (signal: AbortSignal) => client.accept({ signal }),
    (signal: AbortSignal) => client.ping({ signal }),
  ]) {
    const controller = new AbortController();
    const waiting = wait(controller.signal);
    controller.abort(new Error("enough"));
    await assert.rejects(waiting, { code: "ERR_ABORTED" });
    await assert.rejects(wait(AbortSignal.abort()), { code: "ERR_ABORTED" });
  }
  channel.destroy();
  (await client.open()).destroy();
});

for (const side of ["this side", "the peer"] as const) {
  test(`a stream that ${side} ends before it is accepted does not run into the time for that`, async (t) => {
    const { client, server } = sessions(t, pipePair(), { streamOpenTimeout: 30, enableKeepAlive: false });
    const stream = await client.openChannel();
    if (side === "this side") {
      stream.end();
    } else {
      stream.attach({ onData() {}, onEnd() {}, onClose() {} });
      const accepted = await server.acceptChannel();
      accepted.end();
    }
    await new Promise((resolve) => setTimeout(resolve, 150));
    assert.equal(client.error, undefined);
  });
}

test("a peer that reads its answers gets them all, however many they are", async (t) => {
  const [conn, b] = await unixPair();
  const server = Session.server(b, { enableKeepAlive: false });
  t.after(() => server.close());
  let answered = 0;
  conn.on("data", (chunk) => {
    answered += chunk.length / 12;
  });
  const pings = Buffer.concat(Array.from({ length: 1000 }, () => frame(PING, SYN, 0, 1)));
  for (let batch = 1; batch <= 10; batch++) {
    conn.write(pings);
    await until(() => answered === batch * 1000, "all answers");
  }
  // Refusals are answers as well: more of them than may wait at a time.
  server.goAway();
  await until(() => answered === 10_001, "the GoAway");
  const syns = Buffer.concat(Array.from({ length: 7000 }, (_, i) => frame(WU, SYN, 2 * i + 1, 0)));
  for (let batch = 1; batch <= 10; batch++) {
    conn.write(syns);
    await until(() => answered === 10_001 + batch * 7000 || server.error !== undefined, "all refusals");
  }
  assert.equal(server.error, undefined);
});
