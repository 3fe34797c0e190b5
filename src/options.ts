import { badOption, OptionError, shown } from "./errors.js";

/** setTimeout fires at once above this. Nobody notices that a wait never times out which may take 24 days. */
export const LONGEST_TIMER = 2 ** 31 - 1;

/**
 * The one rule for every time limit that a user gives, in milliseconds:
 *
 * - not given, or 0: the default (Go's zero value);
 * - a positive number, fractions included: itself;
 * - Infinity, and 2^31 and above, which no timer can hold: no limit;
 * - anything else (negative, NaN, null, text): refused.
 *
 * @param name the option, for the message
 * @throws OptionError
 */
export function timeLimit(name: string, given: unknown, byDefault: number): number {
  return span(name, given, byDefault) || byDefault;
}

/** {@link timeLimit} for a period of grace, where 0 means that there is none. @throws OptionError */
export function gracePeriod(name: string, given: unknown, byDefault: number): number {
  return span(name, given, byDefault);
}

function span(name: string, given: unknown, byDefault: number): number {
  if (given === undefined) return byDefault;
  if (typeof given !== "number" || !(given >= 0)) {
    throw badOption(name, "a number of milliseconds, 0 or above", given);
  }
  return given > LONGEST_TIMER ? Infinity : given;
}

/** A whole number within bounds, both included. @throws OptionError */
export function wholeNumber(name: string, given: unknown, lowest: number, highest: number): number {
  if (typeof given !== "number" || !Number.isSafeInteger(given) || given < lowest || given > highest) {
    throw badOption(name, `a whole number from ${lowest} to ${highest}`, given);
  }
  return given;
}

/** An id of either broker's: a uint32 in Go. @throws OptionError */
export function brokerId(given: unknown): void {
  wholeNumber("id", given, 0, 0xffff_ffff);
}

/** Refuses a value that an option may not have. @throws OptionError, with the option's name */
export type Check = (name: string, value: never) => void;

/** The options that an object may have. */
export type Shape = Readonly<Record<string, Check>>;

/** Whatever has fields: no list. */
export type Fields = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export const boolean: Check = (name, value: unknown) => {
  if (typeof value !== "boolean") throw badOption(name, "true or false", value);
};

export const text: Check = (name, value: unknown) => {
  if (typeof value !== "string" || value === "") throw badOption(name, "a text that is not empty", value);
};

export const calling: Check = (name, value: unknown) => {
  if (typeof value !== "function") throw badOption(name, "a function", value);
};

export const port: Check = (name, value) => void wholeNumber(name, value, 0, 65_535);

export const time: Check = (name, value) => void timeLimit(name, value, Infinity);

export const oneOf =
  (...names: readonly string[]): Check =>
  (name, value: unknown) => {
    if (names.includes(value as string)) return;
    throw badOption(name, names.map((known) => JSON.stringify(known)).join(" or "), value);
  };

export const list =
  (wanted: string): Check =>
  (name, value: unknown) => {
    if (!Array.isArray(value)) throw badOption(name, wanted, value);
    const wrong = value.findIndex((entry) => typeof entry !== "string");
    if (wrong < 0) return;
    throw new OptionError(name, `${name} must be ${wanted}, but ${name}[${wrong}] is ${shown(value[wrong])}`);
  };

export const abortSignal: Check = (name, value: unknown) => {
  const { aborted, addEventListener } = (value ?? {}) as Partial<AbortSignal>;
  if (typeof aborted !== "boolean" || typeof addEventListener !== "function") {
    throw badOption(name, "an AbortSignal", value);
  }
};

/** The signal of a wait or a call. @throws OptionError */
export function checkSignal(signal: unknown): void {
  // Other realms and libraries have signals of their own.
  if (signal !== undefined && !(signal instanceof AbortSignal)) abortSignal("signal", signal as never);
}

export const anyText: Check = (name, value: unknown) => {
  if (typeof value !== "string") throw badOption(name, "a text", value);
};

export const writable: Check = (name, value: Fields) => {
  const isWritable = isObject(value) && typeof value.write === "function" && typeof value.on === "function";
  if (!isWritable) throw badOption(name, "a Writable, such as process.stdout", value);
};

export const readable: Check = (name, value: unknown) => {
  const { on, pause } = (value ?? {}) as Record<string, unknown>;
  if (typeof on !== "function" || typeof pause !== "function")
    throw badOption(name, "a Readable stream", value);
};

/** By what is used of it: it may be a stream of another library. */
export const duplex: Check = (name, value: unknown) => {
  const stream = (value ?? {}) as Record<string, unknown>;
  if (["on", "write", "end", "destroy"].some((method) => typeof stream[method] !== "function")) {
    throw badOption(name, "a Duplex stream, such as a socket", value);
  }
};

/** An object each of whose known fields, where it is given, passes its check. */
export const object =
  (wanted: string, shape: Shape, required: readonly string[] = []): Check =>
  (name, value: unknown) => {
    if (!isObject(value)) throw badOption(name, wanted, value);
    checkFields(`${name}.`, value, shape, required);
  };

/** The options of a function or constructor, where they are given. @throws OptionError */
export function checkOptions(given: unknown, shape?: Shape): void {
  if (given === undefined) return;
  if (!isObject(given)) throw badOption("options", "an object", given);
  if (shape !== undefined) checkFields("", given, shape);
}

/** @param prefix what stands before the names of the fields in messages: `reattach.` */
export function checkFields(
  prefix: string,
  given: Fields,
  shape: Shape,
  required: readonly string[] = [],
): void {
  checkNames(prefix, given, shape);
  for (const [field, check] of Object.entries(shape)) {
    const value = given[field];
    if (value !== undefined || required.includes(field)) check(`${prefix}${field}`, value as never);
  }
}

/** Names that differ from a known one in their letters' case alone are not what their user meant them to be. */
function checkNames(prefix: string, given: Fields, shape: Shape): void {
  const known = new Map(Object.keys(shape).map((name) => [name.toLowerCase(), name]));
  for (const name of Object.keys(given)) {
    const meant = known.get(name.toLowerCase());
    if (meant === undefined || meant === name) continue;
    throw new OptionError(
      `${prefix}${name}`,
      `there is no option ${prefix}${name}; it is called ${prefix}${meant}`,
    );
  }
}
