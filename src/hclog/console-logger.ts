import { inspect } from "node:util";
import { anyText, calling, checkOptions } from "../options.js";
import { messageOf, textOf } from "./given.js";
import { type Fields, type Level, type Logger, levelCheck, levelledLogger } from "./logger.js";
import { parseLevel } from "./parse-line.js";
import { formatTimestamp } from "./timestamp.js";
import { writeStderr } from "./write-stderr.js";

/** The environment variable that sets the level of the default logger of hosts. */
const LOG_LEVEL_VARIABLE = "GOPLUG_LOG";

/** Settings of {@link consoleLogger}. */
export interface ConsoleLoggerOptions {
  /** The lowest level that is written; default: what `GOPLUG_LOG` says (`trace` to `error`, or `off`), else `info`. */
  readonly level?: Level | "off";
  /** Stands before each message; default `plugin`, as in go-plugin. */
  readonly name?: string;
  /** Takes each line, newline included; default: process.stderr. */
  readonly write?: (line: string) => void;
  /** The time of a line; default now. */
  readonly now?: () => Date;
}

const BRACKETS: Readonly<Record<Level, string>> = {
  trace: "[TRACE]",
  debug: "[DEBUG]",
  info: "[INFO] ",
  warn: "[WARN] ",
  error: "[ERROR]",
};

/** A logger for people: hclog's plain text, `2026-01-02T15:04:05.000Z [INFO]  plugin: message: key=value`. */
export function consoleLogger(options: ConsoleLoggerOptions = {}): Logger {
  checkOptions(options, { level: levelCheck, name: anyText, write: calling, now: calling });
  const write = options.write ?? writeStderr;
  const now = options.now ?? (() => new Date());
  return levelledLogger(options.level ?? levelFromEnvironment(), options.name ?? "plugin", (...line) =>
    write(`${formatPlainLine(now(), ...line)}\n`),
  );
}

/** One entry of {@link consoleLogger}, without the last newline. A value of several lines is set below its key. */
export function formatPlainLine(
  time: Date,
  level: Level,
  name: string,
  message: string,
  fields: Fields,
): string {
  const head = [name, message].filter((part) => part !== "").join(": ");
  const pairs = pairsOf(fields).map(([key, value]) => formatPair(key, plainValue(value)));
  return `${formatTimestamp(time, "plain")} ${BRACKETS[level]} ${head}${pairs.length > 0 ? ":" : ""}${pairs.join("")}`;
}

function levelFromEnvironment(): Level | "off" {
  const text = process.env[LOG_LEVEL_VARIABLE] ?? "";
  return text.trim().toLowerCase() === "off" ? "off" : (parseLevel(text) ?? "info");
}

/** Reading a field may throw, and so may showing it: neither is the caller's fault. */
function pairsOf(fields: Fields): [string, unknown][] {
  try {
    return Object.entries(fields);
  } catch (error) {
    return [["error", error]];
  }
}

function plainValue(value: unknown): string {
  if (typeof value !== "object" || value === null || value instanceof Error) return messageOf(value);
  try {
    return inspect(value, { breakLength: Infinity });
  } catch {
    return textOf(value);
  }
}

function formatPair(key: string, value: string): string {
  if (value.includes("\n")) {
    const lines = value.replace(/\n$/, "").split("\n");
    return `\n  ${key}=\n${lines.map((line) => `  | ${escapeControls(line)}\n`).join("")}  `;
  }
  // hclog's rule: everything outside of "-" to "~" needs quotes.
  const bare = /^[\x2d-\x7e]+$/.test(value);
  return ` ${key}=${bare ? value : `"${escapeControls(value).replaceAll('"', '\\"')}"`}`;
}

/** A plugin's words must not move the cursor of its host's terminal. */
function escapeControls(text: string): string {
  return text.replace(/\p{C}/gu, (c) => {
    const short = JSON.stringify(c).slice(1, -1);
    return short === c ? `\\u{${c.codePointAt(0)?.toString(16)}}` : short;
  });
}
