// What a sender makes of what it is given, without a session.
import assert from "node:assert/strict";
import { test } from "node:test";
import { FloodGuard } from "../../../src/http2/flood-guard.js";
import { Outgoing } from "../../../src/http2/outgoing.js";
import { Sender } from "../../../src/http2/sender.js";
import type { FrameWriter } from "../../../src/http2/writer.js";

/** A sender that is open, and the sizes of the DATA frames it sends, each with that of its lead. */
function open(window: number, connection: number) {
  const frames: [lead: number, chunk: number][] = [];
  const writer = {
    answers: 0,
    congested: false,
    endLast: () => false,
    data(_id: number, _end: boolean, lead: Uint8Array | undefined, chunk: Uint8Array) {
      frames.push([lead?.length ?? 0, chunk.length]);
    },
  } as unknown as FrameWriter;
  const out = new Outgoing(writer, new FloodGuard(writer), undefined);
  out.window = connection;
  const sender = new Sender({ id: 1, onSent() {}, onTooLarge() {}, onRoom() {} }, out);
  sender.open(window);
  return { sender, frames, out };
}

const lead = Uint8Array.of(1, 2, 3, 4, 5);

test("the lead of a large message shares a frame with its first bytes", () => {
  const { sender, frames } = open(1_000_000, 1_000_000);
  assert.equal(sender.write(Buffer.alloc(40_000), lead), true);
  assert.deepEqual(frames, [
    [5, 16_379],
    [0, 16_384],
    [0, 7237],
  ]);
});

test("a lead that does not fit the windows goes as far as they let it", () => {
  for (const [window, connection] of [
    [4, 1_000_000],
    [1_000_000, 4],
  ] as const) {
    const { sender, frames } = open(window, connection);
    assert.equal(sender.write(Buffer.alloc(100), lead), false);
    assert.equal(sender.isBlocked, true);
    assert.deepEqual(frames, [[0, 4]]);
  }
});

test("a lead that just fits goes out alone", () => {
  const { sender, frames } = open(5, 1_000_000);
  assert.equal(sender.write(Buffer.alloc(100), lead), false);
  assert.deepEqual(frames, [[5, 0]]);
});
