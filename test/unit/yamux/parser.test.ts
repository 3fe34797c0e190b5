// The parser under every split of its input, against a parser that waits for whole frames.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FrameParser } from "../../../src/yamux/parser.js";

type Seen = { type: number; flags: number; id: number; length: number; payload?: string };

function encode(type: number, flags: number, id: number, length: number, payload: Uint8Array): Buffer {
  const header = Buffer.alloc(12);
  header[1] = type;
  header.writeUInt16BE(flags, 2);
  header.writeUInt32BE(id, 4);
  header.writeUInt32BE(length, 8);
  return Buffer.concat([header, payload]);
}

function naive(input: Buffer, wanted: (id: number) => boolean): Seen[] {
  const seen: Seen[] = [];
  let at = 0;
  while (input.length - at >= 12) {
    const [type, flags] = [input.readUInt8(at + 1), input.readUInt16BE(at + 2)];
    const [id, length] = [input.readUInt32BE(at + 4), input.readUInt32BE(at + 8)];
    const body = type === 0 ? length : 0;
    const payload = input.subarray(at + 12, at + 12 + body).toString("hex");
    seen.push({ type, flags, id, length, ...(body > 0 && wanted(id) ? { payload } : {}) });
    at += 12 + body;
  }
  return seen;
}

function parse(chunks: Buffer[], wanted: (id: number) => boolean): Seen[] {
  const seen: Seen[] = [];
  let lasts = 0;
  let expected = 0;
  const parser = new FrameParser({
    frame(type, flags, id, length) {
      seen.push({ type, flags, id, length });
      if (type === 0 && length > 0 && wanted(id)) expected++;
      return wanted(id);
    },
    payload(chunk, last) {
      assert.ok(chunk.length > 0);
      const frame = seen.at(-1)!;
      frame.payload = (frame.payload ?? "") + chunk.toString("hex");
      if (last) lasts++;
    },
  });
  for (const chunk of chunks) {
    parser.push(chunk);
    // Whatever was handed out may be overwritten afterwards.
    chunk.fill(0xee);
  }
  assert.ok(parser.atBoundary);
  assert.equal(lasts, expected);
  return seen;
}

const odd = (id: number): boolean => id % 2 === 1;

const script = Buffer.concat([
  encode(1, 1, 1, 0, Buffer.alloc(0)),
  encode(0, 0, 1, 5, Buffer.from("hello")),
  encode(0, 4, 2, 3, Buffer.from("no!")),
  encode(2, 1, 0, 0xdead_beef, Buffer.alloc(0)),
  encode(0, 0xffff, 0xffff_ffff, 1, Buffer.from("x")),
  encode(0, 4, 1, 0, Buffer.alloc(0)),
  encode(3, 0, 0, 0, Buffer.alloc(0)),
]);

test("every pair of cuts, and one byte at a time", () => {
  const whole = naive(script, odd);
  assert.equal(whole.length, 7);
  for (let i = 0; i <= script.length; i++) {
    for (let j = i; j <= script.length; j++) {
      const copy = Buffer.from(script);
      assert.deepEqual(parse([copy.subarray(0, i), copy.subarray(i, j), copy.subarray(j)], odd), whole);
    }
  }
  const bytes = Array.from(script, (byte) => Buffer.from([byte]));
  assert.deepEqual(parse(bytes, odd), whole);
});

test("random frames in random pieces", () => {
  const frames = fc.array(
    fc.record({
      type: fc.integer({ min: 0, max: 3 }),
      flags: fc.integer({ min: 0, max: 0xffff }),
      id: fc.integer({ min: 0, max: 0xffff_ffff }),
      length: fc.integer({ min: 0, max: 0xffff_ffff }),
      payload: fc.uint8Array({ maxLength: 60 }),
    }),
    { maxLength: 30 },
  );
  fc.assert(
    fc.property(frames, fc.array(fc.nat(40), { maxLength: 60 }), (list, sizes) => {
      const input = Buffer.concat(
        list.map((f) =>
          f.type === 0
            ? encode(0, f.flags, f.id, f.payload.length, f.payload)
            : encode(f.type, f.flags, f.id, f.length, Buffer.alloc(0)),
        ),
      );
      const copy = Buffer.from(input);
      const chunks: Buffer[] = [];
      let at = 0;
      for (const size of sizes) {
        chunks.push(copy.subarray(at, at + size));
        at = Math.min(at + size, copy.length);
      }
      chunks.push(copy.subarray(at));
      assert.deepEqual(parse(chunks, odd), naive(input, odd));
    }),
    { numRuns: 300 },
  );
});

test("nothing comes after stop(), from within a frame or a payload", () => {
  for (const where of ["frame", "payload"]) {
    let calls = 0;
    const parser: FrameParser = new FrameParser({
      frame() {
        calls++;
        if (where === "frame") parser.stop();
        return true;
      },
      payload() {
        calls++;
        if (where === "payload") parser.stop();
      },
    });
    parser.push(encode(0, 0, 1, 3, Buffer.from("abc")));
    parser.push(script);
    assert.equal(calls, where === "frame" ? 1 : 2);
  }
});

test("a payload of 4 GiB is skipped without being held", () => {
  const parser = new FrameParser({ frame: () => false, payload: () => assert.fail("payload") });
  parser.push(encode(0, 0, 1, 0xffff_ffff, Buffer.alloc(0)));
  const chunk = Buffer.alloc(1 << 20);
  for (let i = 0; i < 4095; i++) parser.push(chunk);
  assert.equal(parser.atBoundary, false);
  parser.push(chunk.subarray(1));
  assert.equal(parser.atBoundary, true);
});
