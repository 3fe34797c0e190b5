// The service of go-fixtures/shared/stream.
import { createHash } from "node:crypto";
import type { Duplex } from "node:stream";
import { finished, pipeline } from "node:stream/promises";
import { remoteReader, serveReader } from "../../../../src/index.js";
import { stream } from "../../services.js";
import { pattern } from "../serve-fixture.js";

async function mirror(connection: Duplex): Promise<bigint> {
  let bytes = 0n;
  connection.on("data", (chunk: Buffer) => {
    bytes += BigInt(chunk.length);
  });
  // pipeline and for-await would destroy the connection at the end of its input, before the rest has gone back.
  await finished(connection.pipe(connection));
  return bytes;
}

/** The pattern repeats itself every 256 bytes. */
function* patternChunks(length: number): Generator<Buffer> {
  const chunk = pattern(65_536);
  for (let at = 0; at < length; at += chunk.length)
    yield chunk.subarray(0, Math.min(chunk.length, length - at));
}

export const plugins = {
  stream: stream.implement((broker) => ({
    async Source({ Id, Bytes }) {
      const connection = await broker.dial(Id);
      connection.resume();
      await pipeline(patternChunks(Number(Bytes)), connection);
      return Bytes;
    },
    async Sink({ Id }) {
      const connection = await broker.dial(Id);
      const hash = createHash("sha256");
      let bytes = 0n;
      for await (const chunk of connection.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        hash.update(chunk);
        bytes += BigInt(chunk.length);
      }
      connection.end();
      return { Bytes: bytes, SHA256: hash.digest("hex") };
    },
    async ReadAsking({ Id, Bytes }) {
      const reader = remoteReader(await broker.dial(Id));
      const hash = createHash("sha256");
      let bytes = 0n;
      for await (const chunk of reader as AsyncIterable<Buffer>) {
        const part = Bytes > 0n ? chunk.subarray(0, Number(Bytes - bytes)) : chunk;
        hash.update(part);
        bytes += BigInt(part.length);
        if (bytes === Bytes) break;
      }
      return { Bytes: bytes, SHA256: hash.digest("hex") };
    },
    ServeAsked: async ({ Id, Bytes }) =>
      BigInt(await serveReader(await broker.dial(Id), patternChunks(Number(Bytes)))),
    Mirror: async ({ Id }) => mirror(await broker.dial(Id)),
    Offer() {
      const id = broker.nextId();
      broker
        .accept(id)
        .then(mirror)
        .catch(() => {
          // The host sees the end of the stream; there is nobody else to tell.
        });
      return id;
    },
  })),
};
