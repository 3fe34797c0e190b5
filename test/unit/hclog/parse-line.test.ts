import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { LEVELS, type Logger } from "../../../src/hclog/logger.js";
import { logStderrLine, parseHclogLine, StderrClassifier } from "../../../src/hclog/parse-line.js";

const LINE =
  '{"@level":"warn","@message":"look out","@module":"kv.store","@timestamp":"2026-01-02T03:04:05.678901+02:00","n":3,"who":"me"}';

describe("parseHclogLine", () => {
  test("reads level, message, module, timestamp and pairs", () => {
    assert.deepEqual(parseHclogLine(LINE), {
      kind: "json",
      level: "warn",
      message: "look out",
      module: "kv.store",
      timestamp: "2026-01-02T03:04:05.678901+02:00",
      fields: { n: 3, who: "me" },
    });
  });

  test("takes levels in any case, as hclog does", () => {
    assert.equal(parseHclogLine('{"@level":" ERROR ","@message":"m"}')?.level, "error");
  });

  test("JSON without a known level comes out whole at debug", () => {
    for (const line of ['{"a":1}', '{"@level":"off","@message":"m"}', '{"@level":"loud","@message":"m"}']) {
      assert.deepEqual(parseHclogLine(line), { kind: "plain", level: "debug", message: line, fields: {} });
    }
  });

  test("what is no entry is no JSON line, even where go-plugin would crash", () => {
    const others = [
      "",
      "hello",
      "{",
      "[1]",
      "null",
      '{"@level":1,"@message":"m"}',
      '{"@level":"info","@message":[]}',
      '{"@level":"info","@message":"m","@timestamp":"yesterday"}',
      '{"@level":"info","@message":"m","@timestamp":5}',
    ];
    for (const line of others) assert.equal(parseHclogLine(line), undefined, line);
  });

  test("never throws", () => {
    const classifier = new StderrClassifier();
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (line) => {
        assert.ok(LEVELS.includes(classifier.classify(line).level));
      }),
    );
  });
});

describe("StderrClassifier", () => {
  const levels = (lines: string[]) => {
    const classifier = new StderrClassifier();
    return lines.map((line) => {
      const { kind, level, message } = classifier.classify(line);
      assert.equal(message, kind === "json" ? "look out" : line);
      return `${kind} ${level}`;
    });
  };

  test("bracketed levels, else debug", () => {
    assert.deepEqual(
      levels(["[TRACE] a", "[DEBUG]", "[INFO] x", "[WARN]x", "[ERROR] x", "[info] x", " [INFO] x", "x"]),
      [
        "prefixed trace",
        "prefixed debug",
        "prefixed info",
        "prefixed warn",
        "prefixed error",
        "plain debug",
        "plain debug",
        "plain debug",
      ],
    );
  });

  test("from a panic on, lines without a level of their own are errors", () => {
    assert.deepEqual(
      levels(["x", "panic: boom", "", "goroutine 1 [running]:", "[INFO] x", LINE, "main.main()"]),
      [
        "plain debug",
        "panic error",
        "panic error",
        "panic error",
        "prefixed info",
        "json warn",
        "panic error",
      ],
    );
    assert.deepEqual(levels(["fatal error: all goroutines are asleep", "x"]), ["panic error", "panic error"]);
    assert.deepEqual(levels(["not a panic: boom", "x"]), ["plain debug", "plain debug"]);
  });

  test("a piece of a long line is not looked into", () => {
    const classifier = new StderrClassifier();
    assert.equal(classifier.classify("panic: boom", true).level, "debug");
    assert.equal(classifier.classify("[ERROR] x", true).level, "debug");
    assert.equal(classifier.classify("x").level, "debug");
  });
});

test("logStderrLine adds module and timestamp to an hclog entry, and nothing to others", () => {
  const seen: unknown[] = [];
  const record = (level: string) => (message: string, fields?: unknown) =>
    seen.push([level, message, fields]);
  const logger = Object.fromEntries(LEVELS.map((level) => [level, record(level)])) as unknown as Logger;
  const classifier = new StderrClassifier();
  for (const line of [LINE, "plain"]) logStderrLine(logger, classifier.classify(line));
  assert.deepEqual(seen, [
    [
      "warn",
      "look out",
      { n: 3, who: "me", "@module": "kv.store", timestamp: "2026-01-02T03:04:05.678901+02:00" },
    ],
    ["debug", "plain", undefined],
  ]);
});

test("blanks around an hclog entry are JSON's own, as in Go", () => {
  assert.equal(parseHclogLine(`  ${LINE} \t`)?.kind, "json");
  assert.equal(parseHclogLine("{{{{"), undefined);
});
