import { badOption } from "./errors.js";

/** setTimeout fires at once above this. Nobody notices that a wait never times out which may take 24 days. */
export const longestTimer = 2 ** 31 - 1;

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
  return given > longestTimer ? Infinity : given;
}

/** A whole number within bounds, both included. @throws OptionError */
export function wholeNumber(name: string, given: unknown, lowest: number, highest: number): number {
  if (typeof given !== "number" || !Number.isSafeInteger(given) || given < lowest || given > highest) {
    throw badOption(name, `a whole number from ${lowest} to ${highest}`, given);
  }
  return given;
}
