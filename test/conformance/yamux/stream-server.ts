// Does on each incoming stream what its first byte asks for: what go-fixtures/yamuxpeer does, with Duplex streams.
import { createHash } from "node:crypto";
import { once } from "node:events";
import type { Session, Stream } from "../../../src/yamux/index.js";

const block = Buffer.alloc(262_144);
for (let i = 0; i < block.length; i++) block[i] = i * 31;

/** Takes exactly `length` bytes off the front of a stream; null at an early end. */
export async function take(stream: Stream, length: number): Promise<Buffer | null> {
  for (;;) {
    const chunk = stream.read(length) as Buffer | null;
    if (chunk !== null) return chunk.length === length ? chunk : null;
    if (stream.readableEnded) return null;
    if (stream.destroyed) throw stream.errored ?? new Error("the stream was destroyed");
    // A new "readable" listener is called at once when there are bytes, if too few: input must get its turn.
    await new Promise((resolve) => setImmediate(resolve));
    if (stream.readableEnded) return null;
    // Whoever listens only now is told nothing any more.
    if (stream.destroyed) throw stream.errored ?? new Error("the stream was destroyed");
    await new Promise<void>((resolve, reject) => {
      const settle = (): void => {
        stream.off("readable", onReadable);
        stream.off("end", onReadable);
        stream.off("error", onError);
      };
      const onReadable = (): void => {
        settle();
        resolve();
      };
      const onError = (error: Error): void => {
        settle();
        reject(error);
      };
      stream.on("readable", onReadable);
      stream.on("end", onReadable);
      stream.on("error", onError);
    });
  }
}

export async function write(stream: Stream, chunk: Uint8Array): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    stream.write(chunk, (error) => (error ? reject(error) : resolve()));
  });
}

/** Opens streams all at once and has five bytes echoed over each. */
export async function openMany(session: Session, count: number): Promise<void> {
  await Promise.all(
    Array.from({ length: count }, async () => {
      const stream = await session.open();
      stream.end("Ehello");
      let got = "";
      stream.on("data", (chunk: Buffer) => {
        got += chunk.toString();
      });
      await once(stream, "end");
      if (got !== "hello") throw new Error(`got ${got}`);
    }),
  );
}

async function answer(session: Session, stream: Stream): Promise<void> {
  const what = await take(stream, 1);
  switch (what?.toString()) {
    case undefined:
      stream.end();
      return;
    case "I":
      stream.pause();
      return;
    case "E":
      stream.pipe(stream);
      return;
    case "U": {
      let count = 0n;
      stream.on("data", (chunk: Buffer) => {
        count += BigInt(chunk.length);
      });
      await once(stream, "end");
      const reply = Buffer.alloc(8);
      reply.writeBigUInt64BE(count);
      stream.end(reply);
      return;
    }
    case "D": {
      let left = Number((await take(stream, 8))!.readBigUInt64BE());
      while (left > 0) {
        const part = block.subarray(0, Math.min(left, 65_536));
        left -= part.length;
        await write(stream, part);
      }
      stream.resume();
      stream.end();
      return;
    }
    case "H": {
      const hash = createHash("sha256");
      stream.on("data", (chunk: Buffer) => hash.update(chunk));
      await once(stream, "end");
      stream.end(hash.digest());
      return;
    }
    case "T":
      stream.end("bye");
      stream.resume();
      return;
    case "G":
      session.goAway();
      stream.end("ok");
      stream.resume();
      return;
    case "C":
      await session.close();
      return;
    case "B":
      stream.write(block);
      await session.close();
      return;
    case "O":
      await openMany(session, Number((await take(stream, 8))!.readBigUInt64BE()));
      stream.end("ok");
      stream.resume();
      return;
    case "P":
      await session.ping();
      stream.end("ok");
      stream.resume();
      return;
    default:
      throw new Error(`unknown request ${what}`);
  }
}

/** Serves until the session ends. */
export async function serveStreams(session: Session, report: (error: unknown) => void): Promise<void> {
  try {
    for await (const stream of session) {
      stream.on("error", (error) => {
        const { code } = error as { code?: string };
        // A peer may leave when it has what it wanted.
        if (code !== "ERR_YAMUX_SESSION_SHUTDOWN" && code !== "ERR_YAMUX_CONNECTION_RESET") report(error);
      });
      answer(session, stream).catch((error: unknown) => {
        if (!stream.destroyed) report(error);
      });
    }
  } catch (error) {
    report(error);
  }
}
