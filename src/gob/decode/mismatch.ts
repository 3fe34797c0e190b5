import { Fault } from "../errors.js";

/** The stream's type is not the schema's. */
export function mismatch(text: string, detail?: string): Fault {
  return new Fault("ERR_GOB_MISMATCH", text, detail === undefined ? {} : { detail });
}
