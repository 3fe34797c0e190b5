import { type AnySchema, resolve } from "./schema.js";

/** Whether a value is an object that may stand for a map: one without a class. */
export function isPlainObject(v: unknown): v is Record<string, unknown> {
  if (typeof v !== "object" || v === null) return false;
  const prototype = Object.getPrototypeOf(v) as unknown;
  return prototype === null || prototype === Object.prototype;
}

/** Whether a map's keys may be an object's property names. */
export function canBeText(key: AnySchema): boolean {
  const { kind } = resolve(key).node;
  return kind === "string" || kind === "custom" || kind === "interface";
}
