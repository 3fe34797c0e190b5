import { badOption } from "../errors.js";
import type { Check } from "../options.js";
import { fieldsOf, messageOf } from "./given.js";

/** The levels of hclog, from the most talkative to the gravest. */
export const LEVELS = ["trace", "debug", "info", "warn", "error"] as const;

/** The levels of hclog: `trace`, `debug`, `info`, `warn`, `error`. */
export type Level = (typeof LEVELS)[number];

/** Refuses what is no level, nor `off`. @throws OptionError */
export const levelCheck: Check = (name, value: unknown) => {
  if (value === "off" || LEVELS.includes(value as Level)) return;
  throw badOption(name, `one of ${LEVELS.join(", ")}, off`, value);
};

/** Named values that go with a log message. */
export type Fields = Readonly<Record<string, unknown>>;

/**
 * One method of a {@link Logger}. goplug's own loggers write any value as a message, and an `Error` in the place of the fields as
 * the field `error`.
 */
export type LogMethod = (message: string, fields?: Fields) => void;

/**
 * What goplug logs to. The shape is structural and small, so that pino, winston or console can stand behind it with
 * a few lines of glue.
 */
export interface Logger {
  /** What happens step by step. */
  trace: LogMethod;
  /** What helps to find a fault. */
  debug: LogMethod;
  /** What an operator may like to know. */
  info: LogMethod;
  /** What went wrong, and was dealt with. */
  warn: LogMethod;
  /** What failed. */
  error: LogMethod;
  /** A logger whose lines carry `name` after this one's own, as in `plugin.greeter`. Optional. */
  named?(name: string): Logger;
}

/** Throws everything away. */
export const nullLogger: Logger = {
  trace() {},
  debug() {},
  info() {},
  warn() {},
  error() {},
  named: () => nullLogger,
};

/** The logger's child for `name`, or the logger itself if it has no children. */
export function namedLogger(logger: Logger, name: string): Logger {
  return logger.named?.(name) ?? logger;
}

/** Logs at a level that is a setting. */
export function logAt(logger: Logger, level: Level | "off", message: string, fields?: Fields): void {
  if (level !== "off") logger[level](message, fields);
}

/** A logger whose lines carry these fields, too (hclog: With). */
export function withFields(logger: Logger, always: Fields): Logger {
  const method =
    (level: Level): LogMethod =>
    (message, fields) =>
      logger[level](message, { ...always, ...fieldsOf(fields) });
  return {
    trace: method("trace"),
    debug: method("debug"),
    info: method("info"),
    warn: method("warn"),
    error: method("error"),
    named: (name) => withFields(namedLogger(logger, name), always),
  };
}

/** Builds a Logger from one function that takes the lines at or above `level` (`"off"`: none). */
export function levelledLogger(
  level: Level | "off",
  name: string,
  write: (level: Level, name: string, message: string, fields: Fields) => void,
): Logger {
  const lowest = level === "off" ? LEVELS.length : LEVELS.indexOf(level);
  const method = (own: Level): LogMethod =>
    LEVELS.indexOf(own) < lowest
      ? () => {}
      : (message, fields) => write(own, name, messageOf(message), fieldsOf(fields));
  return {
    trace: method("trace"),
    debug: method("debug"),
    info: method("info"),
    warn: method("warn"),
    error: method("error"),
    named: (child) =>
      levelledLogger(level, name === "" ? messageOf(child) : `${name}.${messageOf(child)}`, write),
  };
}
