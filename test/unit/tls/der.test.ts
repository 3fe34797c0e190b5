import assert from "node:assert/strict";
import { test } from "node:test";
import * as der from "../../../src/tls/der.js";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

test("lengths are as short as can be (X.690, 10.1)", () => {
  const header = (length: number): string =>
    hex(der.octetString(new Uint8Array(length))).slice(0, -2 * length);
  assert.equal(hex(der.octetString(new Uint8Array(0))), "0400");
  assert.equal(header(127), "047f");
  assert.equal(header(128), "048180");
  assert.equal(header(255), "0481ff");
  assert.equal(header(256), "04820100");
  assert.equal(header(65_536), "0483010000");
});

test("whole numbers have no zeros in front but the one that keeps them from being negative (X.690, 8.3)", () => {
  const cases: [number[], string][] = [
    [[0], "020100"],
    [[0, 0], "020100"],
    [[], "020100"],
    [[2], "020102"],
    [[0x7f], "02017f"],
    [[0x80], "02020080"],
    [[0, 0, 0xff, 0], "020300ff00"],
    [[0, 1, 2], "02020102"],
  ];
  for (const [bytes, expected] of cases) assert.equal(hex(der.unsigned(Uint8Array.from(bytes))), expected);
});

test("object identifiers (X.690, 8.19)", () => {
  assert.equal(hex(der.objectIdentifier("2.5.4.3")), "0603550403");
  assert.equal(hex(der.objectIdentifier("1.2.840.10045.4.3.4")), "06082a8648ce3d040304");
  assert.equal(hex(der.objectIdentifier("2.999.3")), "0603883703", "the example of X.690, 8.19.5");
});

test("wrapped and tagged values", () => {
  assert.equal(hex(der.sequence()), "3000");
  assert.equal(hex(der.set(der.boolean(true), der.boolean(false))), "31060101ff010100");
  assert.equal(hex(der.bitString(Uint8Array.of(0b1010_1100), 2)), "030202ac");
  assert.equal(hex(der.explicit(3, der.printableString("a"))), "a303130161");
  assert.equal(hex(der.implicit(2, Buffer.from("b"))), "820162");
});
