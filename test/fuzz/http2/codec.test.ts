// Any bytes into the codec: a value or a typed error, in bounded time and memory.
import { test } from "node:test";
import fc from "fast-check";
import { Http2Error } from "../../../src/http2/errors.js";
import { HpackDecoder } from "../../../src/http2/hpack-decoder.js";
import { FrameParser } from "../../../src/http2/parser.js";

function tolerate(run: () => void): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof Http2Error)) throw error;
  }
}

// Bytes that begin fields, lengths and size updates come more often than chance would have them.
const byte = fc.oneof(
  fc.integer({ min: 0, max: 255 }),
  fc.constantFrom(0x00, 0x40, 0x82, 0xbe, 0x3f, 0x20, 0x7f, 0xff, 0x81, 0x01, 0x61),
);

test("blocks of header fields", () => {
  fc.assert(
    fc.property(fc.array(fc.array(byte, { maxLength: 60 }), { maxLength: 10 }), (blocks) => {
      const decoder = new HpackDecoder(256, 10_000);
      tolerate(() => {
        for (const block of blocks) {
          const { headers } = decoder.decode(Buffer.from(block));
          if (headers.length * 16 > 10_000) throw new Error("more than the limit");
          if (decoder.tableSize > decoder.maxTableSize) throw new Error("the table is too large");
        }
      });
    }),
    { numRuns: 5000 },
  );
});

test("frames, in any pieces", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 20 }), (chunks) => {
      let left = 0;
      const parser = new FrameParser(
        {
          frame() {
            if (left !== 0) throw new Error("a frame within another's payload");
          },
          data(_flags, _id, length) {
            if (left !== 0) throw new Error("a frame within another's payload");
            left = length;
          },
          payload(chunk, last) {
            left -= chunk.length;
            if ((left === 0) !== last) throw new Error("the payload's end is told wrong");
          },
        },
        1000,
        false,
      );
      tolerate(() => {
        for (const chunk of chunks) parser.push(Buffer.from(chunk));
      });
    }),
    { numRuns: 5000 },
  );
});
