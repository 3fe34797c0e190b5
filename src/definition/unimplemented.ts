import { OptionError } from "../errors.js";

/** The plugin's side of a definition that has not been given an implementation. @throws OptionError */
export function unimplemented(): never {
  throw new OptionError(
    "plugins",
    "this plugin type has no implementation here: serve what implement() returns",
  );
}

export function isUnimplemented(side: unknown): boolean {
  return side === unimplemented;
}
