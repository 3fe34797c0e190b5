import type { Logger } from "../hclog/logger.js";
import { nearest } from "../netrpc/near-misses.js";

/**
 * Warns of options that a configuration does not have. They are no error: a spread object may bring some along.
 *
 * @param known the names that there are
 * @param elsewhere where names belong that are options of something else
 */
export function warnOfUnknownOptions(
  given: object,
  known: readonly string[],
  logger: Logger,
  elsewhere: Readonly<Record<string, string>> = {},
): void {
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || known.includes(name)) continue;
    logger.warn(`there is no option ${name}${hintOf(name, known, elsewhere)}`);
  }
}

function hintOf(name: string, known: readonly string[], elsewhere: Readonly<Record<string, string>>): string {
  if (Object.hasOwn(elsewhere, name)) return `: ${elsewhere[name]}`;
  const meant = nearest(name, known);
  return meant === undefined ? "" : `: did you mean ${meant}?`;
}
