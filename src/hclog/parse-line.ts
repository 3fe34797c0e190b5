import { type Fields, LEVELS, type Level, type Logger } from "./logger.js";

/** A line of a plugin's stderr and what it turned out to be. */
export interface StderrLine {
  /**
   * `json`: a line of hclog's JSON format; `prefixed`: it names its level in brackets; `panic`: part of a Go crash
   * report; `plain`: anything else.
   */
  readonly kind: "json" | "prefixed" | "panic" | "plain";
  readonly level: Level;
  /** hclog's message; for every other kind the whole line. */
  readonly message: string;
  /** hclog's timestamp as it stands in the line: RFC 3339, microseconds. */
  readonly timestamp?: string;
  /** The name of the plugin's logger, dots between its parts. */
  readonly module?: string;
  /** hclog's key/value pairs; empty for the other kinds. */
  readonly fields: Fields;
}

/** Go's layout 2006-01-02T15:04:05.000000Z07:00; as there, any number of decimals is taken when reading. */
const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:\d\d)$/;

const PREFIXES = LEVELS.map((level) => [`[${level.toUpperCase()}]`, level] as const);

/**
 * Sorts the lines of one plugin's stderr by go-plugin's rules (client.go, logStderr): hclog JSON at its level, then
 * bracketed levels, then, from a `panic: ` or `fatal error: ` on, everything at error, else debug.
 * Make one for each process: the panic stays for the rest of its life.
 */
export class StderrClassifier {
  #inPanic = false;

  /** @param piece The line is only a piece of one that was too long: nothing is read out of it. */
  classify(line: string, piece = false): StderrLine {
    if (piece) return plain(line, "plain", "debug");
    const entry = parseHclogLine(line);
    if (entry !== undefined) return entry;
    for (const [prefix, level] of PREFIXES) {
      if (line.startsWith(prefix)) return plain(line, "prefixed", level);
    }
    if (line.startsWith("panic: ") || line.startsWith("fatal error: ")) this.#inPanic = true;
    return this.#inPanic ? plain(line, "panic", "error") : plain(line, "plain", "debug");
  }
}

/**
 * Reads a line as hclog JSON (log_entry.go, parseJSON). Undefined if it is none. JSON without a level that hclog
 * knows comes out whole, at debug, as in go-plugin.
 */
export function parseHclogLine(line: string): StderrLine | undefined {
  // Only an object can be a log entry; most other lines are told apart without the parser's exception.
  if (!/^\s*\{/.test(line) || !line.trimEnd().endsWith("}")) return undefined;
  let raw: unknown;
  try {
    raw = JSON.parse(line);
  } catch {
    return undefined;
  }
  const {
    "@message": message = "",
    "@level": levelName = "",
    "@timestamp": timestamp,
    "@module": module,
    ...fields
  } = raw as Record<string, unknown>;
  // Go's reader panics on a message or level that is no string; here the line is merely not hclog's.
  if (typeof message !== "string" || typeof levelName !== "string") return undefined;
  if (timestamp !== undefined && (typeof timestamp !== "string" || !TIMESTAMP.test(timestamp)))
    return undefined;
  const level = parseLevel(levelName);
  if (level === undefined) return plain(line, "plain", "debug");
  return {
    kind: "json",
    level,
    message,
    ...(timestamp !== undefined && { timestamp }),
    ...(typeof module === "string" ? { module } : {}),
    fields: module === undefined || typeof module === "string" ? fields : { ...fields, "@module": module },
  };
}

/** The level of that name in any case and with blanks around it (hclog's LevelFromString); undefined if none. */
export function parseLevel(name: string): Level | undefined {
  const wanted = name.trim().toLowerCase();
  return LEVELS.find((level) => level === wanted);
}

/** Passes a line on to a host's logger, with the pairs that go-plugin adds to it: `@module` and `timestamp`. */
export function logStderrLine(logger: Logger, line: StderrLine): void {
  if (line.kind !== "json") {
    logger[line.level](line.message);
    return;
  }
  logger[line.level](line.message, {
    ...line.fields,
    ...(line.module !== undefined && { "@module": line.module }),
    ...(line.timestamp !== undefined && { timestamp: line.timestamp }),
  });
}

function plain(message: string, kind: StderrLine["kind"], level: Level): StderrLine {
  return { kind, level, message, fields: {} };
}
