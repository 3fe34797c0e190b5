import { Fault } from "../errors.js";
import { typeOfObject } from "../schema/remember.js";
import { bool, bytes, string } from "../schema/scalars.js";
import type { AnySchema } from "../schema/schema.js";
import { TypedValue } from "../schema/typed-value.js";
import type { EncodeState } from "./encoding.js";
import { show } from "./leaves.js";

/** Writes an interface value. `place` is the type that belongs to a value in its place, if one is remembered. */
export function writeInterface(w: EncodeState, v: unknown, place: AnySchema | undefined): void {
  if (v === null || v === undefined) {
    w.nilInterfaces++;
    w.uint(0);
    return;
  }
  w.enter();
  w.interfaceValue(v instanceof TypedValue ? v : new TypedValue(typeOf(v, place), v));
  w.depth--;
}

function typeOf(v: unknown, place: AnySchema | undefined): AnySchema {
  const own = typeof v === "object" ? typeOfObject(v!) : undefined;
  if (own !== undefined) return own;
  if (place !== undefined) return place;
  if (typeof v === "string") return string;
  if (typeof v === "boolean") return bool;
  if (v instanceof Uint8Array) return bytes;
  throw new Fault(
    "ERR_GOB_VALUE",
    `gob: ${show(v)} could be of several Go types: give it one with value(schema, v)`,
    { detail: "only where one arrived is the type known; a copy knows it after keepTypes(original, copy)" },
  );
}
