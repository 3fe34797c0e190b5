// The table of hostile frames against a server of this package; test/interop plays it against Go.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Session } from "../../../src/yamux/index.js";
import { delay, pipePair, tcpPair, until } from "../../unit/yamux/support.js";
import { FIN, frame, GO_AWAY, hostile, judgeHostile, playHostile, RST, WU } from "./hostile.js";
import { serveStreams } from "./stream-server.js";

for (const hostileCase of hostile) {
  test(`hostile frames: ${hostileCase.name}`, { timeout: 20_000 }, async () => {
    const [conn, b] = pipePair();
    const server = Session.server(b, { enableKeepAlive: false });
    const problems: unknown[] = [];
    void serveStreams(server, (error) => problems.push(error));
    const outcome = await playHostile(conn, hostileCase.frames, 10);
    assert.equal(judgeHostile(hostileCase, outcome, hostileCase.session), undefined);
    await server.closed;
    if (hostileCase.session === "lives") {
      assert.equal(server.error?.code, "ERR_YAMUX_EOF");
      assert.deepEqual(problems, []);
      return;
    }
    assert.equal(server.error?.code, hostileCase.code);
    assert.equal(server.numStreams, 0);
    // A protocol error is answered with GoAway 1 before the end; a GoAway is not answered.
    const farewell = outcome.received.subarray(-12);
    if (server.error?.code === "ERR_YAMUX_GO_AWAY") assert.notEqual(farewell[1], GO_AWAY);
    else assert.deepEqual(farewell, frame(GO_AWAY, 0, 0, 1));
  });
}

test("a frame that is cut off by the end of the connection", async () => {
  const [conn, b] = await tcpPair();
  const server = Session.server(b);
  conn.end(frame(WU, FIN, 1, 0).subarray(0, 7));
  conn.resume();
  await server.closed;
  assert.equal(server.error?.code, "ERR_YAMUX_UNEXPECTED_EOF");
});

test("streams beyond the backlog are refused, and nothing else happens to the session", async () => {
  const [conn, b] = pipePair();
  const server = Session.server(b, { acceptBacklog: 3, enableKeepAlive: false });
  const chunks: Buffer[] = [];
  conn.on("data", (chunk: Buffer) => chunks.push(chunk));
  for (let id = 1; id <= 9; id += 2) conn.write(frame(WU, 1, id, 0));
  const refusals = Buffer.concat([frame(WU, RST, 7, 0), frame(WU, RST, 9, 0)]);
  await until(() => Buffer.concat(chunks).length >= refusals.length, "the refusals");
  assert.deepEqual(Buffer.concat(chunks), refusals);
  assert.equal(server.numStreams, 3);
  // One that was taken back frees its place.
  conn.write(Buffer.concat([frame(WU, RST, 3, 0), frame(WU, 1, 11, 0)]));
  await delay(20);
  assert.deepEqual(
    [(await server.acceptChannel()).id, (await server.acceptChannel()).id, (await server.acceptChannel()).id],
    [1, 5, 11],
  );
  await server.close();
});

test("a peer that has streams refused without end and never reads ends the session, not the memory", async () => {
  const [conn, b] = pipePair();
  const server = Session.server(b, { acceptBacklog: 1, enableKeepAlive: false, connectionWriteTimeout: 100 });
  b.blocked = true;
  let id = 1;
  const burst = (): Buffer =>
    Buffer.concat(
      Array.from({ length: 5000 }, () => {
        id += 2;
        return frame(WU, 1, id, 0);
      }),
    );
  for (let i = 0; i < 20 && server.state === "open"; i++) {
    b.push(burst());
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(server.error?.code, "ERR_YAMUX_SEND_QUEUE_FULL");
  await server.closed;
  conn.destroy();
});

test("after this side's GoAway every SYN is refused", async () => {
  const [conn, b] = pipePair();
  const server = Session.server(b, { enableKeepAlive: false });
  server.goAway();
  assert.equal(server.state, "localGoAway");
  const chunks: Buffer[] = [];
  conn.on("data", (chunk: Buffer) => chunks.push(chunk));
  conn.write(frame(WU, 1, 1, 0));
  await until(() => Buffer.concat(chunks).length >= 24, "the answers");
  assert.deepEqual(Buffer.concat(chunks), Buffer.concat([frame(GO_AWAY, 0, 0, 0), frame(WU, RST, 1, 0)]));
  await server.close();
});
