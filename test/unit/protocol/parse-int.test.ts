import assert from "node:assert/strict";
import { test } from "node:test";
import { parseGoInt } from "../../../src/protocol/parse-int.js";

test("integers as strconv.Atoi reads them, to the ends of int64", () => {
  for (const [text, value] of [
    ["0", 0],
    ["+7", 7],
    ["-0012", -12],
    ["9223372036854775807", 2 ** 63],
    ["-9223372036854775808", -(2 ** 63)],
  ] as const) {
    assert.deepEqual(parseGoInt(text), { value });
  }
  for (const text of [
    "9223372036854775808",
    "-9223372036854775809",
    "9".repeat(10_000),
    `-${"9".repeat(20)}`,
  ]) {
    assert.match((parseGoInt(text) as { problem: string }).problem, /value out of range$/);
  }
  for (const text of ["", "+", "-", " 1", "1 ", "1.0", "0x1", "1_000", "٣"]) {
    assert.match((parseGoInt(text) as { problem: string }).problem, /invalid syntax$/);
  }
});
