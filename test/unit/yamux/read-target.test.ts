// Connections that are read straight into the memory of the one who takes the bytes.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { DATA, FIN, HEADER_SIZE, putHeader, SYN, WINDOW_UPDATE } from "../../../src/yamux/frame.js";
import { Session } from "../../../src/yamux/index.js";
import type { KeepingHandler } from "../../../src/yamux/keeping-handler.js";
import type { MuxChannel } from "../../../src/yamux/mux-channel.js";
import { pipePair } from "./support.js";

function frame(type: number, flags: number, id: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(HEADER_SIZE);
  putHeader(header, 0, type, flags, id, payload.length);
  return Buffer.concat([header, payload]);
}

/** Gathers a stream in blocks of its own, which it offers as room. */
class Gatherer implements KeepingHandler {
  readonly #blocks: Buffer[] = [];
  #block = Buffer.alloc(0);
  #used = 0;
  inRoom = 0;
  ended = false;

  get bytes(): Buffer {
    return Buffer.concat([...this.#blocks, this.#block.subarray(0, this.#used)]);
  }

  room(): Buffer | undefined {
    if (this.#block.length - this.#used < 20_000) this.#next();
    return this.#block.subarray(this.#used);
  }

  onData(chunk: Buffer): void {
    const { buffer, byteOffset } = this.#block;
    if (chunk.buffer === buffer && chunk.byteOffset === byteOffset + this.#used) {
      this.inRoom += chunk.length;
      this.#used += chunk.length;
      return;
    }
    if (chunk.length > this.#block.length - this.#used) this.#next();
    chunk.copy(this.#block, this.#used);
    this.#used += chunk.length;
  }

  onEnd(): void {
    this.ended = true;
  }

  onClose(): void {}

  #next(): void {
    this.#blocks.push(this.#block.subarray(0, this.#used));
    this.#block = Buffer.allocUnsafeSlow(300_000);
    this.#used = 0;
  }
}

/** Keeps what it may keep, as a Stream does. */
class Keeper implements KeepingHandler {
  readonly takesParts = true;
  readonly #chunks: Buffer[] = [];
  kept = 0;

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  onData(chunk: Buffer, mayKeep?: boolean): void {
    if (mayKeep === true) this.kept += chunk.length;
    this.#chunks.push(mayKeep === true ? chunk : Buffer.from(chunk));
  }

  onEnd(): void {}

  onClose(): void {}
}

/** Reads a wire as `reads` cuts it, each time into the memory that the session asks for, for two streams. */
async function read(
  wire: Buffer,
  reads: readonly number[],
  pauseAt: number,
  handlers: readonly KeepingHandler[],
): Promise<void> {
  const [conn] = pipePair();
  let take!: (chunk: Buffer) => void;
  let next!: () => Buffer | undefined;
  const session = new Session(conn, { role: "server", enableKeepAlive: false }, (sink, target) => {
    take = sink;
    next = target;
  });
  const channels: MuxChannel[] = [];
  const shared = Buffer.alloc(65_536);
  for (let at = 0, i = 0; at < wire.length; i++) {
    const into = next() ?? shared;
    const n = Math.min(reads[i % reads.length]!, into.length, wire.length - at);
    // What is read while nobody takes it must not be lost either.
    if (i % 7 === pauseAt) channels[0]?.pause();
    wire.copy(into, 0, at, at + n);
    at += n;
    take(into.subarray(0, n));
    if (into === shared) shared.fill(0xee);
    if (i % 7 === pauseAt) channels[0]?.resume();
    if (channels.length === 0 && at >= 2 * HEADER_SIZE) {
      for (const handler of handlers) {
        const channel = (await session.acceptChannel()) as MuxChannel;
        channel.attach(handler);
        channels.push(channel);
      }
      await null;
    }
  }
  await session.close();
}

test("every byte arrives, whatever the sizes of frames and reads, and most of large frames without a copy", async () => {
  const piece = fc.record({
    second: fc.boolean(),
    size: fc.oneof(fc.nat({ max: 2000 }), fc.integer({ min: 30_000, max: 60_000 })),
  });
  const cuts = fc.array(fc.integer({ min: 1, max: 40_000 }), { minLength: 1, maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(piece, { maxLength: 4 }),
      cuts,
      fc.nat({ max: 6 }),
      async (pieces, reads, pauseAt) => {
        const sent: [Buffer[], Buffer[]] = [[], []];
        const wire = [1, 3].map((id) => frame(WINDOW_UPDATE, SYN, id, Buffer.alloc(0)));
        for (const [i, { second, size }] of pieces.entries()) {
          const payload = Buffer.alloc(size, i + 1);
          sent[second ? 1 : 0].push(payload);
          wire.push(frame(DATA, 0, second ? 3 : 1, payload));
        }
        wire.push(frame(WINDOW_UPDATE, FIN, 1, Buffer.alloc(0)));
        const all = Buffer.concat(wire);
        for (const second of [new Gatherer(), new Keeper()]) {
          const first = new Gatherer();
          await read(all, reads, pauseAt, [first, second]);
          assert(first.ended);
          assert(first.bytes.equals(Buffer.concat(sent[0])));
          assert(second.bytes.equals(Buffer.concat(sent[1])));
        }
      },
    ),
    { numRuns: 100 },
  );
});

test("a large frame after another goes straight to its reader from its first byte on", async () => {
  const payload = Buffer.alloc(60_000, 7);
  const wire = Buffer.concat([
    ...[1, 3].map((id) => frame(WINDOW_UPDATE, SYN, id, Buffer.alloc(0))),
    ...Array.from({ length: 4 }, () => frame(DATA, 0, 1, payload)),
  ]);
  // All that the first read finds is in the shared memory; the second finds the rest of its frame.
  const handler = new Gatherer();
  await read(wire, [2 * HEADER_SIZE, 20_000, 1 << 20], -1, [handler, new Gatherer()]);
  assert.equal(handler.bytes.length, 240_000);
  assert.equal(handler.inRoom, 240_000 - (20_000 - HEADER_SIZE));
});

test("large frames of a stream come in memory that is written once, whatever lies between them", async () => {
  const wire = Buffer.concat([
    ...[1, 3].map((id) => frame(WINDOW_UPDATE, SYN, id, Buffer.alloc(0))),
    ...[1, 2, 3, 4].map((i) => frame(DATA, 0, 1, Buffer.alloc(60_000, i))),
  ]);
  const keeper = new Keeper();
  await read(wire, [2 * HEADER_SIZE, 20_000, 1 << 20], -1, [keeper, new Keeper()]);
  assert(keeper.bytes.equals(Buffer.concat([1, 2, 3, 4].map((i) => Buffer.alloc(60_000, i)))));
  assert(keeper.kept >= 200_000, `${keeper.kept} bytes without a copy`);
});
