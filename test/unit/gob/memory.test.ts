// Whose memory holds what: blocks that are given back and written again, and room that bytes are read into.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as gob from "../../../src/gob/index.js";

const header = gob.struct({ Name: gob.string, Seq: gob.uint }, { name: "Header" });
const sizes = fc.oneof(
  fc.nat({ max: 300 }),
  fc.nat({ max: 40_000 }),
  fc.constantFrom(127, 128, 255, 256, 32_760, 65_535, 65_536, 131_072, 262_150),
);

/** Bytes that tell one message from another. */
function filled(size: number, by: number): Buffer {
  return Buffer.alloc(size, by % 251);
}

test("any mix of small and large messages is one stream, whatever is taken and given back between them", () => {
  const step = fc.record({ size: sizes, take: fc.boolean(), giveBack: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), (steps) => {
      const encoder = new gob.Encoder();
      const held: { taken: Buffer; copy: Buffer }[] = [];
      const sent: Buffer[] = [];
      for (const [i, { size, take, giveBack }] of steps.entries()) {
        encoder.encode(header, { Name: "x".repeat(size % 50), Seq: i });
        encoder.encode(gob.bytes, filled(size, i));
        if (!take) continue;
        const taken = encoder.take();
        sent.push(Buffer.from(taken));
        held.push({ taken, copy: Buffer.from(taken) });
        if (giveBack) encoder.giveBack(held.shift()!.taken);
      }
      sent.push(Buffer.from(encoder.take()));
      for (const { taken, copy } of held) assert(taken.equals(copy), "what was not given back has changed");
      const decoder = new gob.Decoder();
      decoder.push(Buffer.concat(sent));
      for (const [i, { size }] of steps.entries()) {
        assert.deepEqual(decoder.decode(header), { Name: "x".repeat(size % 50), Seq: i });
        const value = decoder.decode(gob.bytes) as Buffer;
        assert(value.equals(filled(size, i)), `message ${i} of ${size} bytes`);
      }
      assert.equal(decoder.decode(header), gob.NEED_MORE);
    }),
    { numRuns: 150 },
  );
});

test("a block that was given back is written again, once, and never while somebody holds it", () => {
  const encoder = new gob.Encoder();
  const large = (by: number): Buffer => {
    encoder.encode(gob.bytes, filled(100_000, by));
    return encoder.take();
  };
  const first = large(1);
  const second = large(2);
  assert.notEqual(first.buffer, second.buffer);
  encoder.giveBack(first);
  encoder.giveBack(first);
  const third = large(3);
  const fourth = large(4);
  assert.equal(third.buffer, first.buffer);
  assert.notEqual(fourth.buffer, third.buffer);
  assert.equal(second.at(-1), 2);
  assert.equal(third.at(-1), 3);
  assert.equal(fourth.at(-1), 4);
  // Memory of another kind is nobody's to give back.
  encoder.giveBack(Buffer.alloc(10));
});

test("bytes that were read into the decoder's room are part of the message like all others", () => {
  const values = [100_000, 10, 70_000, 0, 300_000].map((size, i) => filled(size, i + 1));
  const encoder = new gob.Encoder();
  for (const value of values) encoder.encode(gob.bytes, value);
  const stream = Buffer.from(encoder.take());
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 60_000 }), { minLength: 1, maxLength: 60 }), (reads) => {
      const decoder = new gob.Decoder();
      const got: Buffer[] = [];
      const shared = Buffer.alloc(65_536);
      let intoRoom = 0;
      for (let at = 0, i = 0; at < stream.length; i++) {
        const room = decoder.room();
        const into = room ?? shared;
        const n = Math.min(reads[i % reads.length]!, into.length, stream.length - at);
        stream.copy(into, 0, at, at + n);
        at += n;
        if (room !== undefined) intoRoom += n;
        decoder.push(into.subarray(0, n), true);
        for (
          let value = decoder.decode(gob.bytes);
          value !== gob.NEED_MORE;
          value = decoder.decode(gob.bytes)
        )
          got.push(value);
        decoder.settle();
        if (room === undefined) shared.fill(0xee);
      }
      assert(intoRoom > 100_000, `${intoRoom} bytes went into the decoder's room`);
      assert.equal(got.length, values.length);
      for (const [i, value] of values.entries()) assert(got[i]!.equals(value), `value ${i}`);
    }),
    { numRuns: 60 },
  );
});

test("there is room for what is missing of a message that has begun, and for nothing else", () => {
  const message = Buffer.from(gob.encode(gob.bytes, filled(50_000, 1)));
  const decoder = new gob.Decoder();
  assert.equal(decoder.room(), undefined);
  decoder.push(Buffer.from(message.subarray(0, 100)), true);
  assert.equal(decoder.decode(gob.bytes), gob.NEED_MORE);
  decoder.settle();
  assert.equal(decoder.room()?.length, message.length - 100);
  decoder.push(message.subarray(100));
  assert.equal((decoder.decode(gob.bytes) as Buffer).length, 50_000);
  assert.equal(decoder.room(), undefined);
});
