// Streams that nobody gave an 'error' listener: their ends, clean or not, end no process, and whoever reads or writes
// at the time still learns of an error. (An uncaught 'error' fails the test it comes in.)
import assert from "node:assert/strict";
import { once } from "node:events";
import { PassThrough } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type TestContext, test } from "node:test";
import { MuxBroker } from "../../../src/broker/mux-broker.js";
import { Session, type Stream } from "../../../src/yamux/index.js";
import { pattern, pipePair, unixPair, until } from "../../unit/yamux/support.js";

interface Ends {
  client: Session;
  server: Session;
  opened: Stream;
  accepted: Stream;
}

/** A stream's two ends, as the sessions hand them out. */
async function ends(t: TestContext): Promise<Ends> {
  const [a, b] = await unixPair();
  const [client, server] = [Session.client(a), Session.server(b)];
  t.after(() => Promise.all([client.close(), server.close()]));
  const [opened, accepted] = await Promise.all([client.open(), server.accept()]);
  return { client, server, opened, accepted };
}

async function read(stream: Stream): Promise<string> {
  let text = "";
  for await (const chunk of stream) text += String(chunk);
  return text;
}

/** The events that tell of a stream's end, as they come. */
function watch(stream: Stream): string[] {
  const seen: string[] = [];
  stream.on("end", () => seen.push("end"));
  stream.on("error", (error: NodeJS.ErrnoException) => seen.push(String(error.code)));
  stream.on("close", () => seen.push("close"));
  return seen;
}

test("a stream without a listener survives the death of its session", async (t) => {
  const { client, server, opened, accepted } = await ends(t);
  await server.close();
  await client.closed;
  await until(() => opened.closed && accepted.closed, "both ends closed");
  assert.equal((opened.errored as NodeJS.ErrnoException | null)?.code, "ERR_YAMUX_SESSION_SHUTDOWN");
});

test("a stream that was read to its end survives the death of its session", async (t) => {
  const { client, server, opened, accepted } = await ends(t);
  accepted.end("all there is");
  opened.resume();
  await once(opened, "end");
  await server.close();
  await client.closed;
  await until(() => opened.closed, "closed");
});

test("a brokered stream without a listener survives the death of the other side", async (t) => {
  const [a, b] = pipePair();
  const [client, server] = [Session.client(a), Session.server(b)];
  t.after(() => Promise.all([client.close(), server.close()]));
  const [here, there] = [new MuxBroker(client), new MuxBroker(server)];
  const [dialled, accepted] = await Promise.all([here.dial(1), there.accept(1)]);
  accepted.write("hello");
  b.destroy(new Error("the plugin died"));
  await until(() => dialled.closed && accepted.closed, "both ends closed");
});

test("for await over a stream whose peer has half-closed ends with FIN: the peer reads a clean end", async (t) => {
  const { opened, accepted } = await ends(t);
  const seen = watch(opened);
  opened.end("question");
  opened.resume();
  assert.equal(await read(accepted), "question");
  await until(() => opened.closed, "closed");
  assert.deepEqual(seen, ["end", "close"]);
  assert.equal(opened.state, "closed");
  assert.equal(accepted.state, "closed");
});

test("what was written before the end of a for await still arrives, and then the end", async (t) => {
  const { opened, accepted } = await ends(t);
  opened.end("question");
  const answer = read(opened);
  accepted.write("answer");
  assert.equal(await read(accepted), "question");
  assert.equal(await answer, "answer");
});

test("destroy() before the input's end resets the stream", async (t) => {
  const { opened, accepted } = await ends(t);
  const seen = watch(opened);
  opened.write("x");
  await once(accepted, "readable");
  accepted.destroy();
  await until(() => opened.closed, "closed");
  assert.deepEqual(seen, ["ERR_YAMUX_CONNECTION_RESET", "close"]);
});

test("destroy() with bytes that the peer's window still holds back resets the stream: no end without them", async (t) => {
  const { opened, accepted } = await ends(t);
  const seen = watch(opened);
  opened.end();
  accepted.resume();
  await once(accepted, "end");
  accepted.write(pattern(300_000));
  accepted.write("behind it");
  await until(() => opened.readableLength > 0, "bytes arrived");
  accepted.destroy();
  await until(() => opened.state === "reset", "reset");
  opened.resume();
  await until(() => opened.closed, "closed");
  assert.ok(!seen.includes("end"));
});

test("destroy() with an error after the input's end resets the stream", async (t) => {
  const { opened, accepted } = await ends(t);
  opened.end();
  accepted.resume();
  await once(accepted, "end");
  accepted.destroy(new Error("no"));
  await until(() => opened.closed, "closed");
  assert.equal(opened.state, "reset");
});

test("a reset after this side's own end() closes the stream without an error", async (t) => {
  const { opened, accepted } = await ends(t);
  const seen = watch(opened);
  opened.end("enough");
  accepted.once("readable", () => accepted.destroy());
  await until(() => opened.closed, "closed");
  assert.deepEqual(seen, ["close"]);
});

test("readers and writers under way see a reset, listener or not", async (t) => {
  const reset = { code: "ERR_YAMUX_CONNECTION_RESET" };
  for (const use of [
    (stream: Stream) => read(stream),
    (stream: Stream) => {
      stream.end();
      return read(stream);
    },
    (stream: Stream) => pipeline(stream, new PassThrough().resume()),
    (stream: Stream) => pipeline(new PassThrough(), stream),
    (stream: Stream) =>
      new Promise((resolve, reject) => {
        stream.write(pattern(400_000), (error) => (error ? reject(error) : resolve(0)));
      }),
  ]) {
    const { opened, accepted } = await ends(t);
    const using = use(opened);
    const failed = assert.rejects(using, reset, String(use));
    setTimeout(() => accepted.destroy(new Error("enough")), 10);
    await failed;
  }
});

test("pipe() from and to a stream that is reset ends no process", async (t) => {
  const { opened, accepted } = await ends(t);
  const sink = new PassThrough();
  const source = new PassThrough();
  opened.pipe(sink);
  source.pipe(opened);
  source.write("x");
  await once(accepted, "readable");
  accepted.destroy();
  await until(() => opened.closed, "closed");
  source.write("y");
  assert.equal((opened.errored as NodeJS.ErrnoException | null)?.code, "ERR_YAMUX_CONNECTION_RESET");
});
