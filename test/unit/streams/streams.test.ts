import assert from "node:assert/strict";
import { once } from "node:events";
import { type Duplex, PassThrough, Readable } from "node:stream";
import { describe, type TestContext, test } from "node:test";
import { MuxBroker } from "../../../src/broker/mux-broker.js";
import { nullLogger } from "../../../src/hclog/logger.js";
import {
  collectBytes,
  joinStreams,
  remoteReader,
  sendBytes,
  serveReader,
} from "../../../src/streams/index.js";
import { putRequest, RequestReader } from "../../../src/streams/requests.js";
import { Session } from "../../../src/yamux/index.js";
import { pattern, tcpPair, unixPair, until } from "../yamux/support.js";

const bound = { timeout: 60_000 };

/** The two ends of a yamux stream, with no listeners. */
async function ends(t: TestContext): Promise<[Duplex, Duplex]> {
  const [a, b] = await unixPair();
  const [client, server] = [Session.client(a), Session.server(b)];
  t.after(() => Promise.all([client.close(), server.close()]));
  return Promise.all([client.open(), server.accept()]);
}

describe("requests", () => {
  // fmt.Printf("%x", binary.AppendVarint(nil, n))
  for (const [n, hex] of [
    [0, "00"],
    [1, "02"],
    [63, "7e"],
    [64, "8001"],
    [512, "8008"],
    [32_768, "808004"],
    [2 ** 31, "8080808010"],
    [Number.MAX_SAFE_INTEGER, "feffffffffffff1f"],
  ] as const) {
    test(`for ${n} bytes are Go's varints`, () => {
      assert.equal(putRequest(n).toString("hex"), hex);
      assert.equal(new RequestReader().push(putRequest(n)), n);
    });
  }

  test("may come in any pieces, and several at once", () => {
    const bytes = Buffer.concat([300, 0, 70_000, 5].map(putRequest));
    assert.equal(new RequestReader().push(bytes), 70_305);
    const reader = new RequestReader();
    let asked = 0;
    for (const byte of bytes) asked += reader.push(Buffer.of(byte));
    assert.equal(asked, 70_305);
  });

  test("that are negative ask for nothing, those of more than 64 bits are refused", () => {
    assert.equal(new RequestReader().push(Buffer.from("010305", "hex")), 0);
    assert.equal(new RequestReader().push(Buffer.from("feffffffffffffffff01", "hex")), 2 ** 63);
    for (const hex of ["ffffffffffffffffff02", "80808080808080808080"])
      assert.throws(() => new RequestReader().push(Buffer.from(hex, "hex")), {
        code: "ERR_STREAM_BAD_REQUEST",
      });
  });
});

describe("serveReader and remoteReader", () => {
  test("carry everything, whatever the source is", bound, async (t) => {
    const data = pattern(1_000_000);
    const pieces = [data.subarray(0, 7), data.subarray(7, 400_000), Buffer.alloc(0), data.subarray(400_000)];
    for (const source of [
      data,
      pieces,
      Readable.from(pieces),
      new Blob([data as Uint8Array<ArrayBuffer>]).stream(),
    ]) {
      const [near, far] = await ends(t);
      const serving = serveReader(near, source);
      assert.ok((await collectBytes(remoteReader(far))).equals(data));
      assert.equal(await serving, data.length);
      await until(() => near.closed && far.closed, "both ends closed");
    }
  });

  test("carry text and nothing", bound, async (t) => {
    for (const text of ["", "höher"]) {
      const [near, far] = await ends(t);
      void serveReader(near, text);
      assert.equal(String(await collectBytes(remoteReader(far))), text);
    }
  });

  test("read the source no faster than the reader reads", bound, async (t) => {
    const [near, far] = await ends(t);
    let given = 0;
    const source = async function* (): AsyncGenerator<Buffer> {
      for (; given < 1000; given++) yield pattern(10_000);
    };
    const serving = serveReader(near, source());
    assert.equal(given, 0);
    const reader = remoteReader(far);
    await once(reader, "readable");
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.ok(given < 30, `${given * 10_000} bytes for a reader that has read nothing`);
    assert.equal((await collectBytes(reader)).length, 10_000_000);
    await serving;
  });

  test("read the source no faster than the peer takes what it has asked for", bound, async (t) => {
    const [near, far] = await ends(t);
    let given = 0;
    const source = async function* (): AsyncGenerator<Buffer> {
      for (;;) {
        given += 10_000;
        yield pattern(10_000);
      }
    };
    const serving = serveReader(near, source());
    far.write(putRequest(2 ** 40));
    await once(far, "readable");
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.ok(given < 1_000_000, `${given} bytes for a peer that reads none`);
    far.destroy();
    await assert.rejects(serving);
  });

  test("ask for no more than 64 KiB ahead, in whatever pieces it comes", bound, async (t) => {
    const [near, far] = await ends(t);
    const requests = new RequestReader();
    let asked = 0;
    near.on("data", (chunk: Buffer) => {
      asked += requests.push(chunk);
    });
    const reader = remoteReader(far).resume();
    for (let sent = 0; sent < 100; sent++) {
      near.write("x");
      await new Promise((resolve) => setImmediate(resolve));
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.ok(asked >= 65_536 && asked <= 2 * 65_536, `${asked} bytes were asked for`);
    reader.destroy();
  });

  test("a reader that is destroyed lets go of the source", bound, async (t) => {
    const [near, far] = await ends(t);
    const source = new PassThrough();
    source.write("some");
    const serving = serveReader(near, source);
    const reader = remoteReader(far);
    await once(reader, "readable");
    reader.destroy();
    await assert.rejects(serving, { code: "ERR_YAMUX_CONNECTION_RESET" });
    source.write("more");
    await until(() => source.destroyed, "the source destroyed");
    assert.ok(near.destroyed && far.destroyed);
  });

  test("a peer that ends its requests without asking gets the end", bound, async (t) => {
    const [near, far] = await ends(t);
    const source = new PassThrough();
    const serving = serveReader(near, source);
    far.end();
    assert.equal((await collectBytes(far)).length, 0);
    assert.equal(await serving, 0);
    assert.ok(source.destroyed || !source.readableFlowing);
  });

  test("a source that fails is an error on both sides", bound, async (t) => {
    const [near, far] = await ends(t);
    const failing = async function* (): AsyncGenerator<Buffer> {
      yield pattern(10);
      throw new Error("the disk is gone");
    };
    const serving = assert.rejects(serveReader(near, failing()), { message: "the disk is gone" });
    await assert.rejects(collectBytes(remoteReader(far)), { code: "ERR_YAMUX_CONNECTION_RESET" });
    await serving;
  });

  test("requests that are none end the stream", bound, async (t) => {
    const [near, far] = await ends(t);
    far.write(Buffer.alloc(20, 0xff));
    await assert.rejects(serveReader(near, "x"), { name: "StreamError", code: "ERR_STREAM_BAD_REQUEST" });
    await until(() => far.destroyed || near.destroyed, "the stream's end");
  });

  test("limits of size, time and signal", bound, async (t) => {
    const [near, far] = await ends(t);
    const serving = serveReader(near, pattern(100_001));
    await assert.rejects(collectBytes(remoteReader(far, { limit: 100_000 })), { code: "ERR_STREAM_LIMIT" });
    await serving.catch(() => {});
    const [near2, far2] = await ends(t);
    const whole = serveReader(near2, pattern(100_000));
    assert.equal(
      (await collectBytes(remoteReader(far2, { limit: 100_000 }), { limit: 100_000 })).length,
      100_000,
    );
    await whole;
    const [near3, far3] = await ends(t);
    await assert.rejects(serveReader(near3, "x", { timeout: 10 }), { code: "ERR_TIMEOUT" });
    await assert.rejects(collectBytes(remoteReader(far3)), { code: "ERR_YAMUX_CONNECTION_RESET" });
    const [, far4] = await ends(t);
    await assert.rejects(collectBytes(remoteReader(far4, { timeout: 10 })), { code: "ERR_TIMEOUT" });
    const [near5] = await ends(t);
    await assert.rejects(serveReader(near5, "x", { signal: AbortSignal.abort() }), { code: "ERR_ABORTED" });
  });

  test("over plain sockets no error ends the process", bound, async () => {
    const [near, far] = await tcpPair();
    far.write(Buffer.alloc(20, 0xff));
    far.on("error", () => {});
    await assert.rejects(serveReader(near, "x"), { code: "ERR_STREAM_BAD_REQUEST" });
    far.destroy();
  });

  test("streams that are over already are told of at once", bound, async (t) => {
    const [near, far] = await ends(t);
    near.end();
    await collectBytes(far);
    assert.equal((await collectBytes(remoteReader(far))).length, 0);
    for (const use of [
      (stream: Duplex) => serveReader(stream, "x"),
      (stream: Duplex) => collectBytes(remoteReader(stream)),
      (stream: Duplex) => collectBytes(stream),
      (stream: Duplex) => sendBytes(stream, "x"),
    ]) {
      const [stream] = await ends(t);
      stream.destroy();
      await assert.rejects(use(stream));
      await until(() => stream.closed, "closed");
      await assert.rejects(use(stream));
    }
  });
});

describe("plain copies", () => {
  test("sendBytes ends its direction alone", bound, async (t) => {
    const [near, far] = await ends(t);
    const data = pattern(700_000);
    const [sent, got] = await Promise.all([sendBytes(near, [data]), collectBytes(far)]);
    assert.equal(sent, data.length);
    assert.ok(got.equals(data));
    far.end("and back");
    assert.equal(String(await collectBytes(near)), "and back");
  });

  test("a source that fails, and a limit, reset the stream", bound, async (t) => {
    for (const use of [
      (stream: Duplex) =>
        sendBytes(
          stream,
          (async function* () {
            yield "part";
            throw new Error("gone");
          })(),
        ),
      (stream: Duplex) => sendBytes(stream, new PassThrough(), { timeout: 10 }),
    ]) {
      const [near, far] = await ends(t);
      const sending = assert.rejects(use(near), /gone|sending bytes took longer than 10 ms/);
      await assert.rejects(collectBytes(far), { code: "ERR_YAMUX_CONNECTION_RESET" });
      await sending;
    }
  });

  test("collectBytes stops at its limit, and at its time", bound, async (t) => {
    const [near, far] = await ends(t);
    near.write(pattern(1001));
    await assert.rejects(collectBytes(far, { limit: 1000 }), { code: "ERR_STREAM_LIMIT" });
    await until(() => near.destroyed || near.errored !== null, "the other side told");
    const [, silent] = await ends(t);
    await assert.rejects(collectBytes(silent, { timeout: 10 }), { code: "ERR_TIMEOUT" });
  });

  test("joinStreams passes both directions on, each end for itself", bound, async (t) => {
    const [near, middle] = await ends(t);
    const [other, far] = await ends(t);
    const joined = joinStreams(middle, other);
    near.end("question");
    assert.equal(String(await collectBytes(far)), "question");
    far.end("answer");
    assert.equal(String(await collectBytes(near)), "answer");
    await joined;
  });

  test("joinStreams passes a failure on", bound, async (t) => {
    const [near, middle] = await ends(t);
    const [other, far] = await ends(t);
    const joined = assert.rejects(joinStreams(middle, other), { code: "ERR_YAMUX_CONNECTION_RESET" });
    near.destroy(new Error("enough"));
    await joined;
    await assert.rejects(collectBytes(far), { code: "ERR_YAMUX_CONNECTION_RESET" });
  });
});

test(
  "a broker's offer is dialled once; what its use throws resets the stream and is logged",
  bound,
  async (t) => {
    const [a, b] = await unixPair();
    const [client, server] = [Session.client(a), Session.server(b)];
    t.after(() => Promise.all([client.close(), server.close()]));
    const lines: string[] = [];
    const logger = { ...nullLogger, error: (message: string) => void lines.push(message) };
    const [here, there] = [new MuxBroker(client, { logger }), new MuxBroker(server)];
    const id = here.offer((stream) => serveReader(stream, "hello"));
    assert.equal(String(await collectBytes(remoteReader(await there.dial(id)))), "hello");
    const bad = here.offer(() => Promise.reject(new Error("no")));
    await assert.rejects(collectBytes(await there.dial(bad)), { code: "ERR_YAMUX_CONNECTION_RESET" });
    await until(() => lines.length === 1, "a log line");
    here.offer(() => {}, { timeout: 5 });
    await until(() => lines.length === 2, "a log line of the offer that nobody took");
  },
);
