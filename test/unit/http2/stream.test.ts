// What a stream makes of what it is given to send, without a session.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Stream, type StreamHost } from "../../../src/http2/stream.js";

/** A stream that is open, and the sizes of the DATA frames it sends, each with that of its lead. */
function open(window: number, connection: number) {
  const frames: [lead: number, chunk: number][] = [];
  const host = {
    writer: { congested: false, endLast: () => false },
    sendWindow: connection,
    maxSendFrame: 16_384,
    maxSendHeaderList: Infinity,
    streamWindow: 65_535,
    sendHeaders: () => true,
    sendData(_id: number, _end: boolean, lead: Uint8Array | undefined, chunk: Uint8Array, length: number) {
      assert.equal(length, (lead?.length ?? 0) + chunk.length);
      host.sendWindow -= length;
      frames.push([lead?.length ?? 0, chunk.length]);
    },
    awaitRoom() {},
    release() {},
  };
  const stream = new Stream(host as unknown as StreamHost);
  stream.accept(1, window);
  return { stream, frames };
}

const lead = Uint8Array.of(1, 2, 3, 4, 5);

test("the lead of a large message shares a frame with its first bytes", () => {
  const { stream, frames } = open(1_000_000, 1_000_000);
  assert.equal(stream.write(Buffer.alloc(40_000), lead), true);
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
    const { stream, frames } = open(window, connection);
    assert.equal(stream.write(Buffer.alloc(100), lead), false);
    assert.equal(stream.isBlocked, true);
    assert.deepEqual(frames, [[0, 4]]);
  }
});

test("a lead that just fits goes out alone", () => {
  const { stream, frames } = open(5, 1_000_000);
  assert.equal(stream.write(Buffer.alloc(100), lead), false);
  assert.deepEqual(frames, [[5, 0]]);
});
