// Random lists of header fields, both ways, beside Go's HPACK (golang.org/x/net/http2/hpack).
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { HpackDecoder } from "../../../src/http2/hpack-decoder.js";
import { encodedBound, HpackEncoder, listSize } from "../../../src/http2/hpack-encoder.js";
import { needs } from "../../support.js";
import { HpackPeer } from "./peer.js";

const name = fc.oneof(
  fc.constantFrom(":status", ":path", "content-type", "grpc-status", "user-agent", "via", "x-a", "x-b"),
  fc.stringMatching(/^[a-z0-9-]{1,40}$/),
);
const octets = (maxLength: number) =>
  fc.uint8Array({ maxLength }).map((bytes) => Buffer.from(bytes).toString("latin1"));
const value = fc.oneof(
  fc.constantFrom("", "0", "200", "/", "application/grpc", "gzip, deflate"),
  fc.stringMatching(/^[ -~]{0,60}$/),
  octets(300),
  octets(5000),
);
const list = fc
  .array(fc.tuple(name, value), { maxLength: 30 })
  .map((fields) => fields.flat().map((text) => Buffer.from(text, "latin1").toString("latin1")));
const resize = fc.option(fc.constantFrom(0, 64, 100, 1000, 4096), { freq: 4 });

test("Go decodes what this side encodes, with one table for all lists", needs("hpackpeer"), async () => {
  const peer = new HpackPeer();
  const encoder = new HpackEncoder((field) => field.endsWith("9"));
  try {
    await fc.assert(
      fc.asyncProperty(list, resize, async (headers, size) => {
        if (size !== null) encoder.setMaxTableSize(size);
        const target = Buffer.alloc(encodedBound(listSize(headers)));
        const block = target.subarray(0, encoder.encode(headers, target, 0));
        assert.deepEqual(await peer.decode(block), headers);
      }),
      // A table that two sides share cannot be taken back to try a smaller case.
      { numRuns: 300, endOnFailure: true },
    );
  } finally {
    peer.close();
  }
});

test(
  "this side decodes what Go encodes, wherever the sizes of the table go",
  needs("hpackpeer"),
  async () => {
    const peer = new HpackPeer();
    const decoder = new HpackDecoder(4096, 1 << 24);
    try {
      await fc.assert(
        fc.asyncProperty(list, resize, async (headers, size) => {
          if (size !== null) await peer.setTableSize(size);
          assert.deepEqual(decoder.decode(await peer.encode(headers)).headers, headers);
        }),
        { numRuns: 300, endOnFailure: true },
      );
    } finally {
      peer.close();
    }
  },
);
