// The frame parser, under every split of its input.
import assert from "node:assert/strict";
import { test } from "node:test";
import { PREFACE, putHeader } from "../../../src/http2/frame.js";
import { FrameParser } from "../../../src/http2/parser.js";

function frame(type: number, flags: number, id: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.alloc(9 + payload.length);
  putHeader(bytes, 0, payload.length, type, flags, id);
  bytes.set(payload, 9);
  return bytes;
}

/** What the parser tells, pieces of one payload put together. */
function record(preface: boolean, maxFrameSize = 16_384) {
  const events: string[] = [];
  let piece = "";
  const parser = new FrameParser(
    {
      frame: (type, flags, id, payload) => events.push(`${type} ${flags} ${id} ${payload.toString("hex")}`),
      data: (flags, id, length) => events.push(`data ${flags} ${id} ${length}`),
      payload(chunk, last) {
        assert.ok(chunk.length > 0);
        piece += chunk.toString("hex");
        if (!last) return;
        events.push(piece);
        piece = "";
      },
    },
    maxFrameSize,
    preface,
  );
  return { parser, events };
}

const input = Buffer.concat([
  PREFACE,
  frame(4, 0, 0, Buffer.alloc(0)),
  frame(1, 4, 1, Buffer.from("828684", "hex")),
  frame(0, 0, 1, Buffer.from("hello")),
  frame(0, 1, 0x8000_0001, Buffer.alloc(0)),
  frame(99, 255, 0x7fff_ffff, Buffer.from([1])),
  frame(6, 0, 0, Buffer.from("12345678")),
]);
const expected = [
  "4 0 0 ",
  "1 4 1 828684",
  "data 0 1 5",
  "68656c6c6f",
  // The reserved bit is dropped.
  "data 1 1 0",
  "99 255 2147483647 01",
  "6 0 0 3132333435363738",
];

test("frames come out the same wherever the input is cut", () => {
  for (let size = 1; size <= input.length; size++) {
    const { parser, events } = record(true);
    for (let at = 0; at < input.length; at += size) parser.push(input.subarray(at, at + size));
    assert.deepEqual(events, expected, `pieces of ${size}`);
    assert.ok(parser.atBoundary);
  }
  for (let cut = 1; cut < input.length; cut++) {
    const { parser, events } = record(true);
    parser.push(input.subarray(0, cut));
    parser.push(input.subarray(cut));
    assert.deepEqual(events, expected, `cut at ${cut}`);
  }
});

test("a client that does not speak HTTP/2 is noticed at its first wrong octet", () => {
  const { parser } = record(true);
  assert.throws(() => parser.push(Buffer.from("GET / HTTP/1.1\r\n")), { http2Code: 1 });
  const late = record(true);
  late.parser.push(PREFACE.subarray(0, 20));
  assert.throws(() => late.parser.push(Buffer.from("XXXX")), { http2Code: 1 });
});

test("a frame beyond the size allowed is refused before its payload is there", () => {
  const { parser } = record(false);
  const header = Buffer.alloc(9);
  putHeader(header, 0, 16_385, 1, 4, 1);
  assert.throws(() => parser.push(header), { code: "ERR_HTTP2_PROTOCOL", http2Code: 6 });
  const fits = record(false);
  putHeader(header, 0, 16_384, 1, 4, 1);
  fits.parser.push(header);
  fits.parser.push(Buffer.alloc(16_384));
  assert.equal(fits.events.length, 1);
});

test("a stopped parser ignores what follows", () => {
  const { parser, events } = record(true);
  parser.stop();
  parser.push(input);
  assert.deepEqual(events, []);
});
