import { badOption } from "../errors.js";
import { anyText, calling, checkFields, isObject } from "../options.js";
import { type Fields, type Level, type Logger, levelCheck, levelledLogger } from "./logger.js";
import { formatTimestamp } from "./timestamp.js";

/** Settings of {@link jsonLogger}. */
export interface JsonLoggerOptions {
  /** Takes each line, newline included. */
  readonly write: (line: string) => void;
  /** The lowest level that is written; default `trace`, because the host decides what it shows. */
  readonly level?: Level | "off";
  /** The logger's name, `@module` of its lines; default none. */
  readonly name?: string;
  /** The time of a line; default now. */
  readonly now?: () => Date;
}

/** The keys that belong to hclog: a host written in Go crashes on some of them if they do not hold what it expects. */
const RESERVED = new Set(["@level", "@message", "@module", "@timestamp", "@caller"]);

const UNSERIALIZABLE = "logging contained values that don't serialize to json";

/**
 * A logger that writes hclog's JSON lines, which a go-plugin host logs again at their own level: `@level`, `@message`,
 * `@module` and `@timestamp`, then the fields, keys in order. Errors become their message, bigints numbers, byte
 * arrays base64 and maps objects, as Go's encoder would have them; a field that has the name of one of hclog's own
 * keys loses its `@`. Fields that JSON cannot hold (cycles, functions) are left out, and `@warn` says so.
 */
export function jsonLogger(options: JsonLoggerOptions): Logger {
  if (!isObject(options)) throw badOption("options", "an object with write", options);
  const shape = { write: calling, level: levelCheck, name: anyText, now: calling };
  checkFields("", options, shape, ["write"]);
  const now = options.now ?? (() => new Date());
  return levelledLogger(options.level ?? "trace", options.name ?? "", (level, name, message, fields) =>
    options.write(`${formatJsonLine(now(), level, name, message, fields)}\n`),
  );
}

/** One line of {@link jsonLogger}, without the newline. Never throws. */
export function formatJsonLine(
  time: Date,
  level: Level,
  name: string,
  message: string,
  fields: Fields,
): string {
  const entry = new Map<string, unknown>([
    ["@level", level],
    ["@message", message],
    ["@timestamp", formatTimestamp(time, "json")],
  ]);
  if (name !== "") entry.set("@module", name);
  const own = [...entry];
  try {
    for (const [key, value] of Object.entries(fields))
      entry.set(RESERVED.has(key) ? key.slice(1) : key, value);
    return encodeObject(entry, []);
  } catch {
    return encodeObject(new Map([...own, ["@warn", UNSERIALIZABLE]]), []);
  }
}

// JSON.stringify would do, but for bigints, which it cannot be made to write as numbers before Node 22.
function encode(value: unknown, parents: readonly object[]): string {
  if (value === null || value === undefined) return "null";
  switch (typeof value) {
    case "string":
      return encodeString(value);
    case "boolean":
    case "bigint":
      return String(value);
    case "number":
      if (!Number.isFinite(value)) throw new TypeError("not a JSON number");
      return String(value);
    case "object":
      return encodeStructure(value, parents);
    default:
      throw new TypeError(`a ${typeof value} has no JSON form`);
  }
}

function encodeStructure(value: object, parents: readonly object[]): string {
  if (parents.includes(value)) throw new TypeError("a cycle has no JSON form");
  const inside = [...parents, value];
  if ("toJSON" in value && typeof value.toJSON === "function" && !(value instanceof Uint8Array)) {
    return encode(value.toJSON(), inside);
  }
  if (value instanceof Error) return encodeString(value.message);
  if (value instanceof Uint8Array) {
    return encodeString(Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64"));
  }
  if (value instanceof Map) {
    return encodeObject(new Map([...value].map(([key, item]) => [String(key), item])), inside);
  }
  if (Array.isArray(value) || value instanceof Set) {
    return `[${[...value].map((item) => encode(item, inside)).join(",")}]`;
  }
  return encodeObject(new Map(Object.entries(value)), inside);
}

function encodeObject(entries: ReadonlyMap<string, unknown>, parents: readonly object[]): string {
  const sorted = [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${sorted.map(([key, value]) => `${encodeString(key)}:${encode(value, parents)}`).join(",")}}`;
}

// U+2028 and U+2029 end lines for some readers, and <, > and & are escaped by Go's encoder.
function encodeString(text: string): string {
  return JSON.stringify(text).replace(
    /[<>&\u2028\u2029]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
