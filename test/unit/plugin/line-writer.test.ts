import assert from "node:assert/strict";
import { test } from "node:test";
import { LineWriter, type LineWriterSystem } from "../../../src/plugin/line-writer.js";

/** A pipe of some bytes, whose reader takes `taken` of them in a millisecond. */
function pipe(room: number, taken: number) {
  let [free, time] = [room, 0];
  const got: string[] = [];
  const system: LineWriterSystem = {
    write(bytes) {
      if (free === 0) throw Object.assign(new Error("full"), { code: "EAGAIN" });
      const part = bytes.subarray(0, free);
      free -= part.length;
      got.push(Buffer.from(part).toString());
      return part.length;
    },
    sleep(milliseconds) {
      time += milliseconds;
      free = Math.min(room, free + taken * milliseconds);
    },
    now: () => time,
  };
  const writer = new LineWriter(system, (lines) => `lost ${lines}\n`);
  const empty = (): void => {
    free = room;
  };
  return { writer, system, text: () => got.join(""), time: () => time, empty };
}

test("a line is there when write returns, however slow the reader is", () => {
  const { writer, text, time } = pipe(4, 1);
  writer.write("a line that is longer than the pipe\n");
  writer.write("another\n");
  assert.equal(text(), "a line that is longer than the pipe\nanother\n");
  assert.ok(time() > 30);
});

test("a reader that takes nothing is waited for once; what was lost is told when there is room", () => {
  const { writer, text, time, empty } = pipe(10, 0);
  writer.write("the first line\n");
  assert.equal(text(), "the first ");
  assert.equal(time(), 2000);
  writer.write("second\n");
  writer.write("third\n");
  assert.equal(time(), 2000);
  empty();
  writer.write("4\n");
  assert.equal(text(), "the first line\nlost ");
  for (let n = 5; n < 9; n++) {
    empty();
    writer.write(`${n}\n`);
  }
  assert.equal(text(), "the first line\nlost 2\nlost 1\n5\n6\n7\n8\n");
});

test("a reader that is gone is no error", () => {
  const { writer, system, text } = pipe(10, 1);
  const gone: LineWriterSystem = {
    ...system,
    write() {
      throw Object.assign(new Error("gone"), { code: "EPIPE" });
    },
  };
  new LineWriter(gone, () => "").write("line\n");
  writer.write("line\n");
  assert.equal(text(), "line\n");
});
