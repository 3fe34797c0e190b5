import assert from "node:assert/strict";
import { test } from "node:test";
import { LineSplitter } from "../../../src/process/line-splitter.js";

function split(size: number, chunks: readonly string[]): [string, boolean][] {
  const splitter = new LineSplitter(size);
  const pieces: [string, boolean][] = [];
  const keep = (from: Iterable<{ bytes: Buffer; isPrefix: boolean }>): void => {
    for (const { bytes, isPrefix } of from) pieces.push([bytes.toString(), isPrefix]);
  };
  for (const chunk of chunks) keep(splitter.push(Buffer.from(chunk)));
  keep(splitter.end());
  return pieces;
}

test("lines, whatever the chunks", () => {
  const text = "one\ntwo\r\n\nfour";
  const expected = [
    ["one", false],
    ["two", false],
    ["", false],
    ["four", false],
  ];
  assert.deepEqual(split(16, [text]), expected);
  assert.deepEqual(split(16, [...text]), expected);
});

test("a long line comes in pieces", () => {
  assert.deepEqual(split(4, ["abcdefghij\nk\n"]), [
    ["abcd", true],
    ["efgh", true],
    ["ij", false],
    ["k", false],
  ]);
});

test("a line as long as the buffer is whole", () => {
  assert.deepEqual(split(4, ["abcd\n", "efgh\n"]), [
    ["abcd", false],
    ["efgh", false],
  ]);
});
