import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { describe, test } from "node:test";
import { type Fields, nullLogger } from "../../../src/hclog/logger.js";
import { copyOutput } from "../../../src/process/output-copy.js";

type Said = [message: string, fields: Fields | undefined];

function copyTo(writer: Writable | undefined) {
  const said: Said[] = [];
  let ready = 0;
  const copy = copyOutput({
    writer,
    from: "stdout",
    option: "syncStdout",
    logger: { ...nullLogger, warn: (message, fields) => void said.push([message, fields]) },
    onReady: () => ready++,
  });
  return { copy, said, ready: () => ready };
}

const turn = () => new Promise(setImmediate);

describe("output that nobody takes", () => {
  test("is said once, with its first words", () => {
    const { copy, said } = copyTo(undefined);
    assert.equal(copy.write(Buffer.alloc(0)), true);
    assert.deepEqual(said, []);
    assert.equal(copy.write(Buffer.from("first words")), true);
    assert.equal(copy.write(Buffer.from("more")), true);
    copy.end();
    assert.deepEqual(said, [
      [
        "what the plugin prints to its stdout is dropped: the host has no syncStdout",
        { start: "first words" },
      ],
    ]);
  });

  test("because its writer is closed, is said once", async () => {
    const writer = new Writable({ write: (_chunk, _encoding, done) => done() });
    writer.destroy();
    await turn();
    const { copy, said } = copyTo(writer);
    assert.equal(copy.write(Buffer.from("a")) && copy.write(Buffer.from("b")), true);
    assert.deepEqual(said, [["syncStdout is closed: what the plugin prints to its stdout is dropped", {}]]);
  });
});

describe("a writer", () => {
  test("that fails without a listener for its error ends nothing, and is said once", async () => {
    const failure = new Error("disk full");
    const writer = new Writable({ write: (_chunk, _encoding, done) => setImmediate(done, failure) });
    const { copy, said } = copyTo(writer);
    copy.write(Buffer.from("a"));
    copy.write(Buffer.from("b"));
    // The plugin is gone before the failure comes.
    copy.end();
    for (let i = 0; i < 5; i++) await turn();
    assert.equal(writer.destroyed, true);
    assert.deepEqual(said, []);
    const other = copyTo(new Writable({ write: (_chunk, _encoding, done) => setImmediate(done, failure) }));
    other.copy.write(Buffer.from("a"));
    for (let i = 0; i < 5; i++) await turn();
    other.copy.write(Buffer.from("b"));
    assert.deepEqual(other.said, [
      ["syncStdout failed: what the plugin prints to its stdout is dropped", { error: failure }],
    ]);
  });

  test("whose write throws ends nothing", () => {
    const writer = new Writable({
      write() {
        throw new Error("not implemented");
      },
    });
    const { copy, said } = copyTo(writer);
    assert.equal(copy.write(Buffer.from("a")), true);
    assert.equal(said.length, 1);
  });

  test("that is slow makes the plugin wait, and tells when it has room", async () => {
    const held: (() => void)[] = [];
    const writer = new Writable({
      highWaterMark: 1,
      write: (_chunk, _encoding, done) => void held.push(done),
    });
    const { copy, ready } = copyTo(writer);
    assert.equal(copy.write(Buffer.from("a")), false);
    assert.equal(ready(), 0);
    held.pop()!();
    await turn();
    assert.equal(ready(), 1);
  });

  test("that is shared by twenty plugins has one listener for each event, and none when they are gone", async () => {
    const writer = new Writable({ write: (_chunk, _encoding, done) => done() });
    const warnings: Error[] = [];
    const keep = (warning: Error): void => void warnings.push(warning);
    process.on("warning", keep);
    const before = ["drain", "close", "error"].map((event) => writer.listenerCount(event));
    const all = Array.from({ length: 20 }, () => copyTo(writer).copy);
    for (const copy of all) copy.write(Buffer.from("a"));
    const during = ["drain", "close", "error"].map((event) => writer.listenerCount(event));
    assert.deepEqual(
      during,
      before.map((count) => count + 1),
    );
    for (const copy of all) copy.end();
    await turn();
    process.off("warning", keep);
    assert.deepEqual(
      ["drain", "close", "error"].map((event) => writer.listenerCount(event)),
      before,
    );
    assert.deepEqual(warnings, []);
  });
});
