import { badOption, OptionError } from "../errors.js";
import type { OptionalMethods } from "../netrpc/index.js";
import { isImplementation } from "../netrpc/methods.js";
import { nearMisses } from "../netrpc/near-misses.js";

/**
 * Checks that an implementation has the methods of a definition, for those whose compiler did not.
 *
 * @param optional what it may lack: `true` for all, or their names
 * @throws OptionError
 */
export function checkImplementation(
  methods: readonly string[],
  given: unknown,
  optional: OptionalMethods<never> | readonly string[],
): void {
  if (!isImplementation(given) || Array.isArray(given))
    throw badOption("implementation", "an object with the methods, or a function that makes one", given);
  if (given instanceof Promise) {
    throw new OptionError(
      "implementation",
      "implementation is a Promise: await it, or give the async function itself, which is awaited",
    );
  }
  const implementation = given as Readonly<Record<string, unknown>>;
  for (const name of methods) {
    const method = implementation[name];
    if (typeof method === "function") continue;
    if (method !== undefined) throw badOption(`implementation.${name}`, "a function", method);
    const mayLack = optional === true || optional?.includes(name as never) === true;
    const meant = otherSpelling(name, implementation, mayLack);
    if (mayLack && meant === undefined) continue;
    const hint = meant === undefined ? "" : `; it has ${meant}: did you mean ${name}?`;
    throw new OptionError(`implementation.${name}`, `implementation has no method ${name}${hint}`);
  }
}

/** A function of an object whose name may be meant to be another; for what may be missing, in the case of letters alone. */
function otherSpelling(name: string, implementation: object, caseAlone: boolean): string | undefined {
  const isFunction = (key: string): boolean =>
    typeof (implementation as Readonly<Record<string, unknown>>)[key] === "function";
  const isMeant = (key: string): boolean => !caseAlone || key.toLowerCase() === name.toLowerCase();
  return nearMisses(name, namesOf(implementation)).filter(isMeant).find(isFunction);
}

/** The names of an object's own fields and of its classes'. */
function namesOf(object: object): Set<string> {
  const names = new Set<string>();
  for (let part: object | null = object; part !== null && part !== Object.prototype; ) {
    for (const name of Object.getOwnPropertyNames(part)) names.add(name);
    part = Object.getPrototypeOf(part);
  }
  return names;
}
