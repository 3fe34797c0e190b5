import assert from "node:assert/strict";
import { test } from "node:test";
import { BadPatternError, compilePattern } from "../../../src/host/glob-pattern.js";

// Checked against Go's filepath.Match (Go 1.26, Linux). "bad" is ErrBadPattern.
const table: [pattern: string, name: string, verdict: boolean | "bad"][] = [
  ["abc", "abc", true],
  ["abc", "abd", false],
  ["abc", "abcd", false],
  ["", "", true],
  ["", "a", false],
  ["*", "", true],
  ["*", "anything.exe", true],
  ["*", ".hidden", true],
  ["*c", "abc", true],
  ["a*", "a", true],
  ["a*", "ba", false],
  ["a**b", "axxb", true],
  ["a*b*c*d", "axbxxcxd", true],
  ["a*b*c*d", "axbxxcx", false],
  ["a*b?c*x", "abxbbxdbxebxczzx", true],
  ["a*b?c*x", "abxbbxdbxebxczzy", false],
  ["terraform-provider-*", "terraform-provider-aws", true],
  ["terraform-provider-*", "Terraform-provider-aws", false],
  ["*.so", "plugin.so.bak", false],
  ["?", "", false],
  ["?", "a", true],
  ["?", "é", true],
  ["?", "😀", true],
  ["??", "😀", false],
  ["a?b", "a☺b", true],
  ["[a-c]x", "bx", true],
  ["[a-c]x", "dx", false],
  ["[c-a]", "b", false],
  ["[^a-c]x", "dx", true],
  ["[^a-c]x", "bx", false],
  ["[!a]", "b", false],
  ["[!a]", "!", true],
  ["[α-ω]", "λ", true],
  ["[ab^]", "^", true],
  ["[\\]a]", "]", true],
  ["[\\-]", "-", true],
  ["[x\\-]", "-", true],
  ["[x\\-z]", "y", false],
  ["[*?]", "*", true],
  ["[*?]", "a", false],
  ["a]", "a]", true],
  ["a-b", "a-b", true],
  ["\\*", "*", true],
  ["\\*", "a", false],
  ["\\a", "a", true],
  ["{a,b}", "a", false],
  ["{a,b}", "{a,b}", true],
  ["[", "a", "bad"],
  ["[]", "a", "bad"],
  ["[]a]", "]", "bad"],
  ["[^]", "a", "bad"],
  ["[a", "a", "bad"],
  ["[a", "b", "bad"],
  ["[-]", "-", "bad"],
  ["[x-]", "x", "bad"],
  ["[-x]", "x", "bad"],
  ["[a-b-c]", "a", "bad"],
  ["a[", "ab", "bad"],
  ["*[", "", "bad"],
  ["\\", "a", "bad"],
  ["a\\", "a", "bad"],
  ["[\\", "a", "bad"],
];

test("patterns match as in Go's filepath.Match", { skip: process.platform === "win32" }, () => {
  for (const [pattern, name, verdict] of table) {
    if (verdict === "bad") {
      assert.throws(
        () => compilePattern(pattern),
        { name: "BadPatternError", code: "ERR_BAD_PATTERN" },
        pattern,
      );
    } else assert.equal(compilePattern(pattern)(name), verdict, `${pattern} ${name}`);
  }
});

test("the error shows the pattern, with Go's text", () => {
  assert.throws(
    () => compilePattern("a["),
    (error: unknown) => {
      assert.ok(error instanceof BadPatternError);
      assert.equal(error.message, 'syntax error in pattern: "a["');
      return true;
    },
  );
});

test("many stars do not multiply the work", () => {
  const stars = compilePattern(`${"a*".repeat(2_000)}b`);
  assert.equal(stars("a".repeat(4_000)), false);
  assert.equal(stars(`${"a".repeat(4_000)}b`), true);
});
