import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { consoleLogger, formatPlainLine } from "../../../src/hclog/console-logger.js";
import { formatJsonLine, jsonLogger } from "../../../src/hclog/json-logger.js";
import { type Fields, namedLogger, nullLogger, withFields } from "../../../src/hclog/logger.js";
import { parseHclogLine } from "../../../src/hclog/parse-line.js";
import { formatTimestamp } from "../../../src/hclog/timestamp.js";

const at = new Date("2026-01-02T03:04:05.678Z");
const json = (fields: Record<string, unknown>) =>
  JSON.parse(formatJsonLine(at, "info", "", "m", fields)) as object;

class ZonedDate extends Date {
  readonly offset: number;
  constructor(offset: number) {
    super(at);
    this.offset = offset;
  }
  override getTimezoneOffset() {
    return this.offset;
  }
}

test("formatTimestamp writes local time in hclog's two layouts", () => {
  assert.equal(formatTimestamp(new ZonedDate(0), "json"), "2026-01-02T03:04:05.678000Z");
  assert.equal(formatTimestamp(new ZonedDate(0), "plain"), "2026-01-02T03:04:05.678Z");
  assert.equal(formatTimestamp(new ZonedDate(-330), "json"), "2026-01-02T08:34:05.678000+05:30");
  assert.equal(formatTimestamp(new ZonedDate(210), "plain"), "2026-01-01T23:34:05.678-0330");
});

describe("jsonLogger", () => {
  test("writes hclog's keys, then the fields, in order", () => {
    const lines: string[] = [];
    const logger = jsonLogger({ write: (line) => lines.push(line), name: "kv", now: () => at });
    logger.info("ready", { z: 1, a: "x" });
    namedLogger(logger, "store").error("bad");
    assert.deepEqual(lines, [
      `{"@level":"info","@message":"ready","@module":"kv","@timestamp":"${formatTimestamp(at, "json")}","a":"x","z":1}\n`,
      `{"@level":"error","@message":"bad","@module":"kv.store","@timestamp":"${formatTimestamp(at, "json")}"}\n`,
    ]);
  });

  test("what it writes is read back by the host's side", () => {
    const line = formatJsonLine(at, "warn", "a.b", "uni\u2028code \n<&>", { k: "v" });
    assert.ok(!/[\n<>&\u2028]/.test(line));
    assert.deepEqual(parseHclogLine(line), {
      kind: "json",
      level: "warn",
      message: "uni\u2028code \n<&>",
      module: "a.b",
      timestamp: formatTimestamp(at, "json"),
      fields: { k: "v" },
    });
  });

  test("values have the forms that Go's encoder gives them", () => {
    const line = formatJsonLine(at, "info", "", "m", { big: 2n ** 64n });
    assert.match(line, /"big":18446744073709551616/);
    const fields = {
      error: new TypeError("broken"),
      bytes: new Uint8Array([1, 2]),
      map: new Map([[1, { nested: undefined }]]),
      list: [null, true, new Set(["s"])],
      date: at,
    };
    const { error, bytes, map, list, date } = json(fields) as Record<string, unknown>;
    assert.deepEqual(
      { error, bytes, map, list, date },
      {
        error: "broken",
        bytes: "AQI=",
        map: { 1: { nested: null } },
        list: [null, true, ["s"]],
        date: at.toISOString(),
      },
    );
  });

  test("fields cannot forge hclog's own keys", () => {
    assert.deepEqual(Object.entries(json({ "@level": 5, "@timestamp": "never" })).sort(), [
      ["@level", "info"],
      ["@message", "m"],
      ["@timestamp", formatTimestamp(at, "json")],
      ["level", 5],
      ["timestamp", "never"],
    ]);
  });

  test("a value without a JSON form costs the fields, not the message", () => {
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    const hostile = {
      toJSON: () => {
        throw new Error("no");
      },
    };
    for (const value of [cycle, () => 1, Symbol("s"), Number.NaN, hostile]) {
      const entry = json({ value, other: 1 }) as Record<string, unknown>;
      assert.equal(entry["@warn"], "logging contained values that don't serialize to json");
      assert.equal(entry["@message"], "m");
      assert.ok(!("value" in entry) && !("other" in entry));
    }
    const shared = { n: 1 };
    assert.ok(!("@warn" in json({ a: shared, b: shared })), "the same object twice is no cycle");
    let deep: object = {};
    for (let i = 0; i < 200; i++) deep = { deep };
    assert.ok(!("@warn" in json({ deep })), "what is deep is no cycle");
  });

  test("a message is a text, whatever was given: a Go host ends on another", () => {
    const thrower = {
      toJSON() {
        throw new Error("no");
      },
    };
    const given = [
      undefined,
      null,
      5,
      5n,
      Symbol("s"),
      { a: 1 },
      new Error("e"),
      thrower,
      Object.create(null),
    ];
    const lines: string[] = [];
    const loggers = [jsonLogger({ write: (line) => lines.push(line) }), consoleLogger({ write: () => {} })];
    for (const logger of loggers) for (const message of given) logger.error(message as string);
    assert.deepEqual(
      lines.map((line) => JSON.parse(line)["@message"]),
      ["undefined", "null", "5", "5", "Symbol(s)", '{"a":1}', "e", "a value that cannot be shown", "{}"],
    );
  });

  test("an error in the place of the fields is shown, and so is a value without a name", () => {
    const lines: string[] = [];
    const logger = jsonLogger({ write: (line) => lines.push(line) });
    logger.info("m", new Error("why") as unknown as Fields);
    withFields(logger, { a: 1 }).info("m", new Error("why") as unknown as Fields);
    logger.info("m", 5 as unknown as Fields);
    logger.info("m", null as unknown as Fields);
    assert.deepEqual(
      lines.map((line) => {
        const { error, a, EXTRA_VALUE_AT_END: extra } = JSON.parse(line);
        return [error, a, extra];
      }),
      [
        ["why", undefined, undefined],
        ["why", 1, undefined],
        [undefined, undefined, 5],
        [undefined, undefined, undefined],
      ],
    );
  });

  test("writes nothing below its level", () => {
    const lines: string[] = [];
    const write = (line: string) => lines.push(line);
    for (const level of ["warn", "off"] as const) {
      const logger = jsonLogger({ write, level });
      logger.info("no");
      logger.error("yes");
    }
    assert.equal(lines.length, 1);
    nullLogger.named?.("x").error("no");
  });
});

describe("consoleLogger", () => {
  const plain = (fields: Record<string, unknown>) =>
    formatPlainLine(at, "info", "plugin", "message", fields).slice(formatTimestamp(at, "plain").length);

  test("lines look like hclog's", () => {
    assert.equal(plain({}), " [INFO]  plugin: message");
    assert.equal(
      plain({ path: "/a-b", n: 5, text: "two words", empty: "", error: new Error("x y") }),
      ' [INFO]  plugin: message: path=/a-b n=5 text="two words" empty="" error="x y"',
    );
    assert.equal(plain({ trace: "a\nb\n" }), " [INFO]  plugin: message:\n  trace=\n  | a\n  | b\n  ");
  });

  test("a field that throws when it is read or shown costs nothing else", () => {
    const reading = {
      get value() {
        throw new Error("no");
      },
    };
    assert.equal(plain(reading), " [INFO]  plugin: message: error=no");
    const showing = {
      [Symbol.for("nodejs.util.inspect.custom")]() {
        throw new Error("no");
      },
    };
    assert.equal(
      plain({ showing, symbol: Symbol("s") }),
      ' [INFO]  plugin: message: showing={} symbol="Symbol(s)"',
    );
  });

  test("values cannot reach the terminal's controls", () => {
    assert.equal(plain({ v: '\x1b[2J"' }), ' [INFO]  plugin: message: v="\\u001b[2J\\""');
    assert.equal(plain({ v: "a\u0090b" }).includes("\u0090"), false);
  });

  test("the level comes from the option, else from GOPLUG_LOG, else it is info", () => {
    const count = (level?: "error") => {
      const lines: string[] = [];
      const logger = consoleLogger({ write: (line) => lines.push(line), ...(level && { level }) });
      for (const own of ["trace", "debug", "info", "warn", "error"] as const) logger[own]("m");
      return lines.length;
    };
    const before = process.env.GOPLUG_LOG;
    try {
      delete process.env.GOPLUG_LOG;
      assert.deepEqual([count(), count("error")], [3, 1]);
      process.env.GOPLUG_LOG = "TRACE";
      assert.deepEqual([count(), count("error")], [5, 1]);
      process.env.GOPLUG_LOG = " OFF ";
      assert.equal(count(), 0);
    } finally {
      if (before === undefined) delete process.env.GOPLUG_LOG;
      else process.env.GOPLUG_LOG = before;
    }
  });
});

test("withFields adds its fields to every line, and a line's own win", () => {
  const seen: unknown[] = [];
  const info = (message: string, fields?: Fields): void => void seen.push([message, fields]);
  const logger = withFields({ ...nullLogger, info, named: undefined! }, { plugin: "kv", id: 1 });
  logger.info("a");
  logger.info("b", { id: 2 });
  logger.named!("child").info("c");
  assert.deepEqual(seen, [
    ["a", { plugin: "kv", id: 1 }],
    ["b", { plugin: "kv", id: 2 }],
    ["c", { plugin: "kv", id: 1 }],
  ]);
});
