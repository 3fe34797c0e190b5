import { rememberKey, rememberPlace } from "../schema/remember.js";
import { type AnySchema, hasArrivals, type MapNode, resolve } from "../schema/schema.js";
import { TypedValue } from "../schema/typed-value.js";

/**
 * Puts the entries that arrived into a Map, as Go's decoder does: an entry under an equal key is replaced. Keys that
 * are objects here are compared by what they hold, as Go compares structs and arrays.
 */
export function mergeMap(
  node: MapNode,
  into: Map<unknown, unknown>,
  arrived: ReadonlyMap<unknown, unknown>,
  keyTypes: ReadonlyMap<unknown, AnySchema>,
  types: ReadonlyMap<unknown, AnySchema>,
): Map<unknown, unknown> {
  const equal = new Map<string, unknown>();
  const hasObjects = [...arrived.keys()].some((key) => typeof key === "object" && key !== null);
  if (hasObjects)
    for (const key of into.keys()) {
      const text = keyText(node.key, key);
      if (text !== undefined) equal.set(text, key);
    }
  for (const [key, value] of arrived) {
    const text = hasObjects ? keyText(node.key, key) : undefined;
    const known = text === undefined ? undefined : equal.get(text);
    const place = known ?? key;
    into.set(place, value);
    if (hasArrivals(node.key)) rememberKey(into, place, keyTypes.get(key));
    if (hasArrivals(node.elem)) rememberPlace(into, place, types.get(key));
  }
  return into;
}

/**
 * A text that equal keys of Go share and others do not; undefined for keys that equal none but themselves in Go
 * (pointers, NaN), and for those that a Map finds by itself.
 */
function keyText(schema: AnySchema, key: unknown): string | undefined {
  if (typeof key !== "object" || key === null) return undefined;
  return textOf(schema, key);
}

function textOf(schema: AnySchema, value: unknown): string | undefined {
  const { node } = resolve(schema);
  switch (node.kind) {
    case "pointer":
      return value === null ? "nil" : undefined;
    case "struct": {
      if (typeof value !== "object" || value === null) return undefined;
      const object = value as Record<string, unknown>;
      return join(node.fields.map(([name, of]) => textOf(of, object[name])));
    }
    case "array":
      if (!Array.isArray(value)) return undefined;
      return join(value.map((element) => textOf(node.elem, element)));
    case "complex": {
      const { re, im } = value as { re: number; im: number };
      return join([numberText(re), numberText(im)]);
    }
    case "interface":
      if (value instanceof TypedValue) return join([value.name, textOf(value.schema, value.value)]);
      return typeof value === "object" && value !== null ? undefined : `${typeof value} ${String(value)}`;
    case "custom":
      return Buffer.from(node.encode(value as never)).toString("latin1");
    case "string":
      return node.raw ? Buffer.from(value as Uint8Array).toString("latin1") : (value as string);
    case "float":
      return numberText(value as number);
    default:
      return String(value);
  }
}

/** 0 and −0 are equal in Go, and NaN is not equal to itself. */
function numberText(value: number): string | undefined {
  return Number.isNaN(value) ? undefined : String(value);
}

function join(parts: readonly (string | undefined)[]): string | undefined {
  let text = "";
  for (const part of parts) {
    if (part === undefined) return undefined;
    text += `${part.length}:${part}`;
  }
  return text;
}
