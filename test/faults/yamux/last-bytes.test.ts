// What a peer sent before its end is read, whatever else the stream was doing when the end came.
import assert from "node:assert/strict";
import { once } from "node:events";
import { type Duplex, PassThrough } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type TestContext, test } from "node:test";
import { Session, type Stream } from "../../../src/yamux/index.js";
import { pattern, tcpPair, unixPair, until } from "../../unit/yamux/support.js";

const SIZE = 200_000;
const bound = { timeout: 60_000 };

/** A stream that writes more than the peer's window takes, while bytes for it are on their way. */
async function blockedWriter(t: TestContext, [a, b]: readonly [Duplex, Duplex], sent: Buffer) {
  const [client, server] = [Session.client(a), Session.server(b)];
  t.after(() => Promise.all([client.close(), server.close()]));
  const [stream, peer] = await Promise.all([client.open(), server.accept()]);
  const written = new Promise<Error | null | undefined>((resolve) => stream.write(pattern(600_000), resolve));
  peer.write(sent);
  await until(() => stream.readableLength > 0, "the first bytes");
  return { client, server, stream, written, a, b };
}

function collect(stream: Stream): Promise<Buffer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.once("close", () => resolve(Buffer.concat(chunks)));
  });
}

for (const [name, pair] of [
  ["unix sockets", unixPair],
  ["TCP", tcpPair],
] as const)
  for (const size of [1, 40_000, 200_000]) {
    test(
      `a session that ends while a write is blocked loses none of ${size} bytes that had arrived, over ${name}`,
      bound,
      async (t) => {
        const sent = pattern(size);
        const { client, server, stream, written } = await blockedWriter(t, await pair(), sent);
        await server.close();
        await client.closed;
        const failed = once(stream, "error");
        const got = await collect(stream);
        assert.ok(got.equals(sent), `${got.length} of ${sent.length} bytes`);
        assert.equal(((await written) as NodeJS.ErrnoException).code, "ERR_YAMUX_SESSION_SHUTDOWN");
        assert.equal((await failed)[0].code, "ERR_YAMUX_SESSION_SHUTDOWN");
      },
    );
  }

test("nor does a for await, which then throws", bound, async (t) => {
  const { client, server, stream } = await blockedWriter(t, await unixPair(), pattern(SIZE));
  await server.close();
  await client.closed;
  let length = 0;
  await assert.rejects(
    async () => {
      for await (const chunk of stream) length += (chunk as Buffer).length;
    },
    { code: "ERR_YAMUX_SESSION_SHUTDOWN" },
  );
  assert.equal(length, SIZE);
});

test("the writer learns of the end even if nobody reads", bound, async (t) => {
  const { client, server, stream, written } = await blockedWriter(t, await unixPair(), pattern(SIZE));
  const piping = assert.rejects(pipeline(new PassThrough(), stream), { code: "ERR_YAMUX_SESSION_SHUTDOWN" });
  await server.close();
  await client.closed;
  assert.equal(((await written) as NodeJS.ErrnoException).code, "ERR_YAMUX_SESSION_SHUTDOWN");
  await piping;
});

test("a slow reader gets everything while the writer waits", bound, async (t) => {
  const { client, server, stream, written } = await blockedWriter(t, await unixPair(), pattern(SIZE));
  await server.close();
  await client.closed;
  let length = 0;
  while (length < SIZE) {
    const chunk = stream.read(20_000) as Buffer | null;
    if (chunk === null) {
      await Promise.race([once(stream, "readable"), once(stream, "close")]);
      if (stream.closed) break;
    } else {
      length += chunk.length;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  }
  assert.equal(length, SIZE);
  stream.resume();
  assert.equal(((await written) as NodeJS.ErrnoException).code, "ERR_YAMUX_SESSION_SHUTDOWN");
});
