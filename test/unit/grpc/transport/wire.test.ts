// What gRPC puts on top of HTTP/2: messages, timeouts, status texts, compression.
import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { MessageError } from "../../../../src/grpc/transport/compression.js";
import { Inbox } from "../../../../src/grpc/transport/inbox.js";
import { MessageReader, messageHeader } from "../../../../src/grpc/transport/message-reader.js";
import { decodeMessage, encodeMessage, readStatus } from "../../../../src/grpc/transport/status.js";
import { decodeTimeout, encodeTimeout } from "../../../../src/grpc/transport/timeout.js";

const framed = (message: Uint8Array, compressed = false): Buffer =>
  Buffer.concat([messageHeader(message.length, compressed), message]);

test("messages come out the same wherever the body is cut, also where memory is used again", () => {
  const messages = [0, 1, 5, 300, 70_000].map((size) => Buffer.alloc(size, size % 251));
  const body = Buffer.concat(messages.map((message) => framed(message)));
  for (const size of [1, 2, 3, 4, 5, 6, 7, 100, 65_536, body.length]) {
    for (const mayKeep of [true, false]) {
      const got: Buffer[] = [];
      const reader = new MessageReader(Infinity, { message: (message) => got.push(message) });
      for (let at = 0; at < body.length; at += size) {
        const chunk = Buffer.from(body.subarray(at, at + size));
        reader.push(chunk, mayKeep);
        if (!mayKeep) chunk.fill(0xff);
      }
      assert.equal(got.length, messages.length);
      assert.ok(
        got.every((message, i) => message.equals(messages[i]!)),
        `pieces of ${size}`,
      );
      assert.ok(reader.atBoundary);
    }
  }
});

test("a listener that has other bodies read meanwhile gets the rest of its own", () => {
  const numbered = Array.from({ length: 40 }, (_, i) => Buffer.alloc(100, i));
  const chunk = Buffer.concat(numbered.map((message) => framed(message)));
  const others: Buffer[] = [];
  const other = new MessageReader(Infinity, { message: (message) => others.push(message) });
  const got: Buffer[] = [];
  const reader = new MessageReader(Infinity, {
    message(message) {
      got.push(message);
      other.push(framed(Buffer.alloc(10_000, 0xee)), false);
    },
  });
  reader.push(chunk, false);
  chunk.fill(0xff);
  assert.deepEqual(got, numbered);
  assert.equal(others.length, numbered.length);
  assert.ok(others.every((message) => message.equals(Buffer.alloc(10_000, 0xee))));
});

function failing(bytes: Buffer, limit: number, encoding?: string): MessageError {
  const reader = new MessageReader(limit, { message: () => assert.fail("a message") });
  reader.encoding = encoding;
  try {
    reader.push(bytes, true);
  } catch (error) {
    assert.ok(error instanceof MessageError);
    return error;
  }
  return assert.fail("nothing was thrown");
}

test("what is no message has a status of its own", () => {
  assert.equal(failing(framed(Buffer.alloc(11)), 10).status, 8);
  assert.equal(failing(Buffer.from([2, 0, 0, 0, 0]), 10).status, 13);
  assert.equal(failing(framed(gzipSync("x"), true), 100).status, 13);
  assert.equal(failing(framed(gzipSync("x"), true), 100, "snappy").status, 12);
  assert.equal(failing(framed(Buffer.from("no gzip"), true), 100, "gzip").status, 13);
  // A bomb is stopped at the limit.
  assert.equal(failing(framed(gzipSync(Buffer.alloc(50_000_000)), true), 100_000, "gzip").status, 8);
});

test("a length that a peer only claims takes no memory", () => {
  const reader = new MessageReader(Infinity, { message: () => assert.fail("a message") });
  const before = process.memoryUsage().arrayBuffers;
  reader.push(Buffer.from([0, 0xff, 0xff, 0xff, 0xff, 1]), true);
  assert.ok(process.memoryUsage().arrayBuffers - before < 50_000_000);
});

test("compressed messages, both ways of compressing, beside others", () => {
  for (const [encoding, bytes] of [
    ["gzip", gzipSync("hello")],
    ["deflate", deflateSync("hello")],
  ] as const) {
    const got: string[] = [];
    const reader = new MessageReader(100, { message: (message) => got.push(message.toString()) });
    reader.encoding = encoding;
    reader.push(Buffer.concat([framed(bytes, true), framed(Buffer.from("plain"))]), true);
    assert.deepEqual(got, ["hello", "plain"]);
  }
});

test("an inbox delivers what is asked for, and gives back what was taken", () => {
  const events: string[] = [];
  const inbox = new Inbox(100, {
    onMessage: (message) => events.push(message.toString()),
    onLast: () => events.push("end"),
    consumed: (bytes) => events.push(`consumed ${bytes}`),
  });
  inbox.push(framed(Buffer.from("ab")), true);
  inbox.push(framed(Buffer.from("cd")), true);
  assert.deepEqual(events, []);
  inbox.read();
  assert.deepEqual(events.splice(0), ["ab"]);
  inbox.read();
  assert.deepEqual(events.splice(0), ["consumed 14", "cd"]);
  inbox.read();
  inbox.push(framed(Buffer.from("ef")), true);
  assert.deepEqual(events.splice(0), ["ef", "consumed 7"]);
  // An unfinished message must not keep the window shut.
  inbox.push(framed(Buffer.from("ghij")).subarray(0, 7), true);
  assert.deepEqual(events.splice(0), ["consumed 7"]);
  inbox.end();
  assert.deepEqual(events, []);
  inbox.read();
  assert.deepEqual(events, ["end"]);
});

test("status texts survive, whatever is in them, and are printable on the way", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      const encoded = encodeMessage(text);
      assert.match(encoded, /^[ -~]*$/);
      assert.equal(decodeMessage(encoded), Buffer.from(text).toString());
    }),
  );
  assert.equal(encodeMessage("\t\n☺ 100%"), "%09%0A%E2%98%BA 100%25");
  // What is no escape stands for itself, as in grpc-go.
  assert.equal(decodeMessage("100% %zz %4"), "100% %zz %4");
  assert.equal(decodeMessage(Buffer.from("ü").toString("latin1")), "ü");
});

test("a status: code, text, and what else there is", () => {
  const trailers = ["grpc-status", "5", "x-a", "1", "grpc-message", "not%20here"];
  assert.deepEqual(readStatus(trailers), { code: 5, details: "not here", trailers: ["x-a", "1"] });
  assert.equal(readStatus(["x-a", "1"]), undefined);
  assert.equal(readStatus(["grpc-status", "five"])?.code, 2);
});

test("timeouts: eight digits at most, never too short", () => {
  assert.equal(encodeTimeout(0), "0m");
  assert.equal(encodeTimeout(1.2), "2m");
  assert.equal(encodeTimeout(99_999_999), "99999999m");
  assert.equal(encodeTimeout(100_000_000), "100000S");
  assert.equal(encodeTimeout(1e18), "99999999H");
  assert.equal(decodeTimeout("5S"), 5000);
  assert.equal(decodeTimeout("250u"), 0.25);
  for (const wrong of ["", "5", "S", "123456789S", "-1S", "1x", "1.5S"])
    assert.equal(decodeTimeout(wrong), undefined);
});
