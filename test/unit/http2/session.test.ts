// Both roles of a session with each other: streams, flow control, limits, ends.
import assert from "node:assert/strict";
import { test } from "node:test";
import { channelConnection, type HeaderList, Session, type Stream } from "../../../src/http2/index.js";
import { Session as Yamux } from "../../../src/yamux/index.js";
import { ask, echo, Recorder, request, sessionPair, socketPair, until } from "./support.js";

test("a request, its response, and trailers", async () => {
  const { client } = await sessionPair(echo);
  const answer = ask(client, Buffer.from("hello"));
  assert.equal(await answer.over, undefined);
  assert.deepEqual(answer.events, ["headers", "data", "headers, end", "close"]);
  assert.deepEqual(answer.headers, [
    [":status", "200"],
    ["x-bytes", "5"],
  ]);
  assert.equal(answer.body.toString(), "hello");
  assert.equal(client.size, 0);
  client.close();
});

test("a request without a body, and a response that is headers alone", async () => {
  const seen: [HeaderList, boolean][] = [];
  const { client } = await sessionPair((stream, headers, end) => {
    seen.push([headers, end]);
    stream.respond([":status", "404"], true);
    return new Recorder();
  });
  const answer = ask(client);
  assert.equal(await answer.over, undefined);
  assert.deepEqual(answer.events, ["headers, end", "close"]);
  // The request ends by an empty DATA frame: grpc-go does not take its header fields for the end.
  assert.deepEqual(seen, [[request, false]]);
  client.close();
});

test("bodies far beyond all windows, many at once, both ways", async () => {
  const { client } = await sessionPair(echo, { streamWindow: 70_000 }, { streamWindow: 66_000 });
  const bodies = Array.from({ length: 8 }, (_, i) => Buffer.alloc(3_000_000 + i * 17, i + 1));
  const answers = bodies.map((body) => ask(client, body));
  for (const [i, answer] of answers.entries()) {
    assert.equal(await answer.over, undefined);
    assert.ok(answer.body.equals(bodies[i]!));
  }
  client.close();
});

test("bodies of every size around the frames' and copies' limits", async () => {
  const { client } = await sessionPair(echo);
  for (const size of [0, 1, 31, 32, 8191, 8192, 8193, 16_383, 16_384, 16_385, 65_535, 65_536, 131_072]) {
    const body = Buffer.alloc(size, size % 251);
    const answer = ask(client, body);
    assert.equal(await answer.over, undefined);
    assert.ok(answer.body.equals(body), `${size} bytes`);
  }
  client.close();
});

test("a stream that is over before it has a handler tells the handler so", async () => {
  const recorder = new Recorder();
  const { client } = await sessionPair(
    (stream) => {
      // More than the client takes.
      stream.respond([":status", "200", "x", "y".repeat(1000)], false);
      return recorder;
    },
    { maxHeaderListSize: 500 },
  );
  const answer = ask(client);
  assert.equal((await recorder.over)?.code, "ERR_HTTP2_STREAM");
  assert.deepEqual(recorder.events, ["close"]);
  assert.equal((await answer.over)?.code, "ERR_HTTP2_RESET");
  client.close();
});

test("a stream that is not read holds up itself, not the others", async () => {
  const { client, server } = await sessionPair(echo, { streamWindow: 100_000 });
  const slow = new Recorder();
  slow.reading = false;
  slow.stream = client.open(request, slow);
  assert.equal(slow.stream.write(Buffer.alloc(1_000_000)), false);
  await until(() => slow.bytes === 100_000, "the window is full");
  for (let i = 0; i < 3; i++) {
    const other = ask(client, Buffer.alloc(300_000));
    assert.equal(await other.over, undefined);
  }
  assert.equal(slow.bytes, 100_000);
  slow.reading = true;
  slow.stream.consumed(100_000);
  slow.stream.end();
  assert.equal(await slow.over, undefined);
  assert.equal(slow.bytes, 1_000_000);
  assert.equal(server.size, 0);
  client.close();
});

test("write says when to wait, and onDrain when to go on", async () => {
  let served: Stream | undefined;
  const taken = new Recorder();
  taken.reading = false;
  const { client } = await sessionPair(
    (stream) => {
      served = stream;
      taken.stream = stream;
      return taken;
    },
    {},
    { streamWindow: 200_000 },
  );
  const sending = new Recorder();
  let drained = 0;
  sending.onDrain = () => drained++;
  const stream = client.open(request, sending);
  let written = 0;
  while (stream.write(Buffer.alloc(10_000))) written += 10_000;
  assert.ok(written >= 190_000 && written < 1_000_000, `${written}`);
  await until(() => taken.bytes === 200_000, "the window is full");
  assert.equal(drained, 0);
  served!.consumed(200_000);
  await until(() => drained === 1, "onDrain");
  client.close();
  assert.equal((await sending.over)?.code, "ERR_HTTP2_CLOSED");
});

test("more streams than the peer takes at once wait for their turn", async () => {
  let running = 0;
  let most = 0;
  const { client } = await sessionPair(
    (stream) => {
      most = Math.max(most, ++running);
      setTimeout(() => {
        running--;
        stream.respond([":status", "200"], true);
      }, 2);
      return new Recorder();
    },
    {},
    { maxConcurrentStreams: 3 },
  );
  const answers = Array.from({ length: 20 }, () => ask(client, Buffer.from("x")));
  for (const answer of answers) assert.equal(await answer.over, undefined);
  assert.equal(most, 3);
  client.close();
});

test("a stream that waits for its turn can be given up", async () => {
  const { client } = await sessionPair(() => new Recorder(), {}, { maxConcurrentStreams: 1 });
  const first = ask(client);
  const second = ask(client, Buffer.from("never sent"));
  second.stream!.reset(8);
  assert.equal((await second.over)?.code, "ERR_HTTP2_CLOSED");
  first.stream!.reset(8);
  await first.over;
  client.close();
});

test("a reset reaches the other side with its code", async () => {
  const served = new Recorder();
  const { client } = await sessionPair(() => served);
  const asking = new Recorder();
  const stream = client.open(request, asking);
  await until(() => client.size === 1, "the stream");
  stream.reset(8);
  const error = await served.over;
  assert.deepEqual([error?.code, error?.http2Code], ["ERR_HTTP2_RESET", 8]);
  assert.equal((await asking.over)?.code, "ERR_HTTP2_CLOSED");
  // Late writes are for nobody.
  assert.equal(stream.write(Buffer.alloc(10)), true);
  stream.end();
  client.close();
});

test("a handler that throws loses its stream, not the connection", async () => {
  let fails = true;
  const { client } = await sessionPair((stream, headers, end) => {
    const handler = echo(stream, headers, end);
    if (!fails) return handler;
    handler.onData = () => {
      throw new Error("broken");
    };
    return handler;
  });
  const broken = ask(client, Buffer.from("x"));
  assert.equal((await broken.over)?.http2Code, 2);
  fails = false;
  assert.equal(await ask(client, Buffer.from("x")).over, undefined);
  client.close();
});

test("header fields of 1 MB, and 10,000 of them", async () => {
  const { client } = await sessionPair((stream, headers) => {
    stream.respond([":status", "200", ...headers.slice(8)], false);
    stream.end(headers.slice(8));
    return new Recorder();
  });
  const large: HeaderList = ["x-large", "v".repeat(1_000_000)];
  const many = Array.from({ length: 10_000 }, (_, i) => [`x-${i % 100}`, `value ${i}`]).flat();
  for (const extra of [large, many]) {
    const answer = ask(client, undefined, [...request, ...extra]);
    assert.equal(await answer.over, undefined);
    assert.deepEqual(answer.headers, [[":status", "200", ...extra], extra]);
  }
  client.close();
});

test("header fields beyond the peer's limit fail here, and nothing is lost by it", async () => {
  const { client } = await sessionPair(echo, {}, { maxHeaderListSize: 10_000 });
  const refused = ask(client, undefined, [...request, "x-large", "v".repeat(10_000)]);
  assert.equal((await refused.over)?.code, "ERR_HTTP2_STREAM");
  assert.equal(await ask(client, Buffer.from("x")).over, undefined);
  client.close();
});

test("trailers beyond the peer's limit reset the stream", async () => {
  const { client } = await sessionPair(
    (stream) => {
      stream.respond([":status", "200"], false);
      stream.end(["x-large", "v".repeat(10_000)]);
      return new Recorder();
    },
    { maxHeaderListSize: 10_000 },
  );
  const error = await ask(client).over;
  assert.deepEqual([error?.code, error?.http2Code], ["ERR_HTTP2_RESET", 2]);
  client.close();
});

test("a server that drains answers what is on its way, and then closes", async () => {
  const streams: Stream[] = [];
  const { client, server } = await sessionPair((stream) => {
    streams.push(stream);
    return new Recorder();
  });
  const first = ask(client);
  await until(() => streams.length === 1, "the first request");
  server.drain();
  const second = ask(client);
  await until(() => client.state === "draining", "the client knows");
  assert.throws(() => client.open(request, new Recorder()), { code: "ERR_HTTP2_REFUSED" });
  await until(() => streams.length === 2, "the second request");
  for (const stream of streams) stream.respond([":status", "200"], true);
  assert.equal(await first.over, undefined);
  assert.equal(await second.over, undefined);
  await Promise.all([client.closed, server.closed]);
  assert.equal(client.error, undefined);
});

test("a connection that is lost fails its streams, with what had come delivered before", async () => {
  const [a, b] = await socketPair();
  const { duplexConnection } = await import("../../../src/http2/index.js");
  const client = Session.client(duplexConnection(a));
  Session.server(duplexConnection(b), (stream) => {
    stream.respond([":status", "200"], false);
    stream.write(Buffer.from("the last words"));
    setTimeout(() => b.destroy(), 20);
    return new Recorder();
  });
  const asking = new Recorder();
  asking.stream = client.open(request, asking);
  assert.equal((await asking.over)?.code, "ERR_HTTP2_CONNECTION");
  assert.equal(asking.body.toString(), "the last words");
  await client.closed;
  assert.equal(client.error?.code, "ERR_HTTP2_CONNECTION");
  assert.throws(() => client.open(request, new Recorder()), { code: "ERR_HTTP2_CONNECTION" });
});

test("a peer that does not speak HTTP/2, or says nothing, is noticed", async () => {
  const [a, b] = await socketPair();
  const { duplexConnection } = await import("../../../src/http2/index.js");
  const client = Session.client(duplexConnection(a));
  b.end("HTTP/1.1 400 Bad Request\r\n\r\n");
  await assert.rejects(client.ready, { code: "ERR_HTTP2_PROTOCOL" });
  await client.closed;
});

test("keepalive closes a connection whose peer is gone, and no other", async () => {
  const { client } = await sessionPair(echo, { keepalive: { time: 20, timeout: 2000 } });
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.equal(client.state, "open");
  client.close();
  const [a, b] = await socketPair();
  const { duplexConnection } = await import("../../../src/http2/index.js");
  const lonely = Session.client(duplexConnection(a), { keepalive: { time: 20, timeout: 50 } });
  b.resume();
  await lonely.closed;
  assert.equal(lonely.error?.code, "ERR_HTTP2_KEEPALIVE");
});

test("ping takes the time of a round trip", async () => {
  const { client } = await sessionPair(echo);
  assert.ok((await client.ping()) >= 0);
  client.close();
  await assert.rejects(client.ping(), { code: "ERR_HTTP2_CLOSED" });
});

test("over a yamux channel, without a Node stream in between", async () => {
  const [a, b] = await socketPair();
  const near = Yamux.client(a);
  const far = Yamux.server(b);
  const opened = near.openChannel();
  const accepted = await far.acceptChannel();
  const client = Session.client(channelConnection(await opened));
  Session.server(channelConnection(accepted), echo);
  await client.ready;
  const bodies = [0, 100, 10_000, 3_000_000].map((size) => Buffer.alloc(size, 7));
  const answers = bodies.map((body) => ask(client, body));
  for (const [i, answer] of answers.entries()) {
    assert.equal(await answer.over, undefined);
    assert.ok(answer.body.equals(bodies[i]!));
  }
  client.close();
  await client.closed;
  await near.close();
  await far.close();
});
