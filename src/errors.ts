import { inspect } from "node:util";

/** Options that every goplug error takes beside its message. */
export interface GoplugErrorOptions {
  /** What led to this error, if another error did. */
  cause?: unknown;
}

/**
 * The base of every error that goplug throws. `code` is stable and meant for programs, `message` for people;
 * texts that Go peers compare are kept to the letter.
 */
export class GoplugError extends Error {
  /** The class's name, for programs in which `instanceof` fails because goplug is loaded twice. */
  override readonly name: string = "GoplugError";
  /** A stable, upper-case code such as `ERR_YAMUX_SESSION_SHUTDOWN`. */
  readonly code: string;

  constructor(code: string, message: string, options?: GoplugErrorOptions) {
    super(
      message,
      options !== undefined && options.cause !== undefined ? { cause: options.cause } : undefined,
    );
    this.code = code;
  }
}

/** The error of a wait that its caller's signal ended; `cause` is the signal's reason. */
export class AbortedError extends GoplugError {
  override readonly name = "AbortedError";

  constructor(what: string, reason: unknown) {
    super("ERR_ABORTED", `${what} was aborted`, { cause: reason });
  }
}

/** The error of a wait whose time is over. */
export class TimeoutError extends GoplugError {
  override readonly name = "TimeoutError";

  constructor(what: string, milliseconds: number) {
    super("ERR_TIMEOUT", `${what} took longer than ${milliseconds} ms`);
  }
}

/** An option or argument that cannot be used: the message names it and says what it wants. */
export class OptionError extends GoplugError {
  override readonly name = "OptionError";
  declare readonly code: "ERR_OPTION";
  /** The option, as a path: `startTimeout`, `reattach.pid`. */
  readonly option: string;

  constructor(option: string, message: string) {
    super("ERR_OPTION", message);
    this.option = option;
  }
}

/** The error for an option that has another value than it may have. */
export function badOption(option: string, wanted: string, given: unknown): OptionError {
  return new OptionError(option, `${option} must be ${wanted}, not ${shown(given)}`);
}

/** A value as a message shows it: short, whatever it is. */
export function shown(value: unknown): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value.length > 100 ? `${value.slice(0, 100)}…` : value);
    case "bigint":
      return `${value}n`;
    case "symbol":
    case "function":
      return `a ${typeof value}`;
    case "object":
      if (value === null) return "null";
      if (!Array.isArray(value)) return "an object";
      return value.length === 0 ? "an empty list" : "an array";
    default:
      return String(value);
  }
}

const THROWN_LENGTH = 1000;

/** The text of whatever was thrown; where it has none of its own, what it looks like, on one bounded line. Never empty. */
export function thrownText(thrown: unknown): string {
  try {
    if (thrown instanceof Error) return String(thrown.message || thrown.name) || "error";
    if (typeof thrown !== "object" || thrown === null) return String(thrown) || "error";
    if (hasText(thrown)) return String(thrown) || "error";
    const text = inspect(thrown, {
      breakLength: Infinity,
      depth: 3,
      maxArrayLength: 20,
      maxStringLength: 200,
    });
    return text.length > THROWN_LENGTH ? `${text.slice(0, THROWN_LENGTH)}…` : text;
  } catch {
    // Its toString or its getters throw.
    return "error";
  }
}

/** Whether an object has a toString that tells more than that it is one. */
function hasText(object: object): boolean {
  const own: unknown = object.toString;
  return typeof own === "function" && own !== Object.prototype.toString;
}
