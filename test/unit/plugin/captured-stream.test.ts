import assert from "node:assert/strict";
import { once } from "node:events";
import { PassThrough, Readable } from "node:stream";
import { describe, test } from "node:test";
import { type Capturable, CapturedStream } from "../../../src/plugin/captured-stream.js";

const tick = () => new Promise<void>((resolve) => setImmediate(resolve));

function captured(options = {}) {
  const target = new PassThrough();
  const capture = new CapturedStream(target as unknown as Capturable, options);
  capture.queue.holding = false;
  let text = "";
  const attach = () =>
    capture.queue.attach({
      write(chunk) {
        text += chunk.toString("latin1");
        return true;
      },
    });
  return { target, capture, attach, text: () => text };
}

describe("CapturedStream", () => {
  test("takes every form of write and end", async () => {
    const { target, attach, text } = captured();
    attach();
    const called: string[] = [];
    target.write("a");
    target.write("62", "hex");
    target.write(new Uint8Array([0x63]), () => called.push("c"));
    target.write("d", "utf8", () => called.push("d"));
    target.end("e", () => called.push("e"));
    target.end(() => called.push("end"));
    target.end();
    await tick();
    assert.equal(text(), "abcde");
    assert.deepEqual(called, ["c", "d", "e", "end"]);
    assert.equal(target.writableEnded, false);
    assert.throws(() => target.write(5 as unknown as string), TypeError);
  });

  test("keeps a copy, for callers that use their buffer again", () => {
    const { target, attach, text } = captured();
    const buffer = Buffer.from("abc");
    target.write(buffer);
    buffer.fill("z");
    attach();
    assert.equal(text(), "abc");
  });

  test("a pipe into it pauses when the queue is full, and goes on", async () => {
    const { target, capture, attach, text } = captured();
    const source = Readable.from(Array.from({ length: 64 }, () => Buffer.alloc(16_384, "x")));
    source.pipe(target, { end: false });
    await tick();
    await tick();
    assert.ok(capture.queue.length <= 65_536 + 16_384, `${capture.queue.length} bytes wait`);
    attach();
    await once(source, "end");
    assert.equal(text().length, 64 * 16_384);
  });

  test("restore gives the stream back, unless somebody else has it by then", async () => {
    const { target, capture } = captured();
    target.write("captured");
    const theirs = captured();
    const ours = theirs.target.write as (chunk: string) => boolean;
    theirs.target.write = (chunk: string) => ours.call(theirs.target, `<${chunk}>`);
    theirs.capture.restore();
    theirs.target.write("x");
    assert.equal(theirs.target.read()?.toString(), "<x>");
    capture.restore();
    capture.restore();
    target.write("after");
    assert.equal(target.read()?.toString(), "after");
    assert.equal(capture.queue.length, "captured".length);
  });

  test("with tee output goes both ways", () => {
    const { target, attach, text } = captured({ tee: true });
    attach();
    target.write("both");
    assert.equal(text(), "both");
    assert.equal(target.read()?.toString(), "both");
  });
});
