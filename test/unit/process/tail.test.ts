import assert from "node:assert/strict";
import { test } from "node:test";
import { Tail } from "../../../src/process/tail.js";

test("keeps the last bytes, however they come", () => {
  const text = Array.from({ length: 5000 }, (_, i) => `line ${i}\n`).join("");
  for (const step of [1, 7, 99, 100, 101, 5000, text.length]) {
    const tail = new Tail(100);
    for (let at = 0; at < text.length; at += step) tail.push(Buffer.from(text.slice(at, at + step)));
    assert.equal(tail.toString(), text.slice(-100), `in steps of ${step}`);
  }
});

test("keeps everything while it is little", () => {
  const tail = new Tail(100);
  assert.equal(tail.toString(), "");
  tail.push(Buffer.from("a"));
  tail.push(Buffer.from("b"));
  assert.equal(tail.toString(), "ab");
});
