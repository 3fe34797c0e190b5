// The Go types of what arrived in interface values. In JavaScript the 5 of an int and the 5 of a float64 are the same,
// and so are the objects of two struct types; in order that what arrived can be sent back, the types are kept here:
// an object's under the object itself, and every value's under its place, which is a key of a Map, an index of an array
// or a field of an object.
import { GobError } from "../errors.js";
import { type AnySchema, base } from "./schema.js";

const objects = new WeakMap<object, AnySchema>();
const places = new WeakMap<object, Places>();
const keys = new WeakMap<object, Places>();

/** The types of one container's places. */
export interface Places {
  /** The type that belongs to a value there, if there is one. */
  typeAt(place: unknown, value: unknown): AnySchema | undefined;
}

/** What typeof says of values, with the two kinds of numbers as one. */
type Sort = "number" | "string" | "boolean" | "object";

function sortOfValue(value: unknown): Sort | undefined {
  const sort = typeof value;
  if (sort === "bigint") return "number";
  return sort === "number" || sort === "string" || sort === "boolean" || sort === "object" ? sort : undefined;
}

/** The sort of values that a schema gives. */
function sortOf(schema: AnySchema): Sort | undefined {
  const { node } = base(schema);
  switch (node.kind) {
    case "bool":
      return "boolean";
    case "int":
    case "uint":
    case "float":
      return "number";
    case "string":
      return node.raw ? "object" : "string";
    case "custom":
      return sortOfValue(node.zero());
    default:
      return "object";
  }
}

/** Each field of an object, or key of a Map, by itself. */
class NamedPlaces implements Places {
  readonly types: Map<unknown, AnySchema>;

  constructor(types: Map<unknown, AnySchema>) {
    this.types = types;
  }

  typeAt(place: unknown, value: unknown): AnySchema | undefined {
    const schema = this.types.get(place);
    return schema !== undefined && sortOf(schema) === sortOfValue(value) ? schema : undefined;
  }
}

/**
 * The elements of an array, where indices mean little: elements are put in, taken out and sorted. If all numbers
 * had one type, every number has it (strings, booleans and objects likewise). Of several types, each is left only to
 * the element that still stands where it arrived.
 */
class IndexedPlaces implements Places {
  readonly #types: readonly (AnySchema | undefined)[];
  readonly #values: readonly unknown[];
  readonly #common = new Map<Sort, AnySchema | undefined>();

  constructor(types: readonly (AnySchema | undefined)[], values: readonly unknown[]) {
    this.#types = types;
    this.#values = [...values];
    for (const [i, value] of values.entries()) {
      const sort = value === null ? undefined : sortOfValue(value);
      if (sort === undefined) continue;
      if (!this.#common.has(sort)) this.#common.set(sort, types[i]);
      else if (this.#common.get(sort) !== types[i]) this.#common.set(sort, undefined);
    }
  }

  typeAt(place: unknown, value: unknown): AnySchema | undefined {
    const sort = sortOfValue(value);
    const common = sort === undefined ? undefined : this.#common.get(sort);
    if (common !== undefined) return common;
    return this.#values[place as number] === value ? this.#types[place as number] : undefined;
  }
}

/** Remembers the type of an object that arrived in an interface. */
export function rememberObject(object: object, schema: AnySchema): void {
  objects.set(object, schema);
}

/** The type with which an object arrived in an interface. */
export function typeOfObject(object: object): AnySchema | undefined {
  return objects.get(object);
}

/** Remembers the types in an object's fields, or of what stands under a Map's keys. */
export function rememberPlaces(container: object, types: Map<unknown, AnySchema>): void {
  places.set(container, new NamedPlaces(types));
}

/** Remembers the types of a Map's keys. */
export function rememberKeys(map: object, types: Map<unknown, AnySchema>): void {
  keys.set(map, new NamedPlaces(types));
}

/** Remembers the types of an array's elements, undefined for those that need none. */
export function rememberElements(array: readonly unknown[], types: readonly (AnySchema | undefined)[]): void {
  places.set(array, new IndexedPlaces(types, array));
}

function update(
  memory: WeakMap<object, Places>,
  container: object,
  place: unknown,
  type: AnySchema | undefined,
): void {
  const known = memory.get(container);
  if (known instanceof NamedPlaces) {
    if (type === undefined) known.types.delete(place);
    else known.types.set(place, type);
  } else if (type !== undefined) memory.set(container, new NamedPlaces(new Map([[place, type]])));
}

/** Remembers the type of one place of an object or Map that has been decoded into; undefined forgets it. */
export function rememberPlace(container: object, place: unknown, type: AnySchema | undefined): void {
  update(places, container, place, type);
}

/** Remembers the type of one key of a Map that has been decoded into; undefined forgets it. */
export function rememberKey(map: object, key: unknown, type: AnySchema | undefined): void {
  update(keys, map, key, type);
}

/** Forgets the types of an array that has been decoded into. */
export function forgetElements(array: object): void {
  places.delete(array);
}

/** The types of a container's places, if any are remembered. */
export function placesOf(container: unknown): Places | undefined {
  return typeof container === "object" && container !== null ? places.get(container) : undefined;
}

/** The types of a Map's keys, if any are remembered. */
export function keyPlacesOf(map: unknown): Places | undefined {
  return typeof map === "object" && map !== null ? keys.get(map) : undefined;
}

/**
 * Gives a copy of a struct, Map or array the Go types that the original's interface values arrived with, and returns
 * it. A copy made by `{ ...struct }`, `new Map(map)`, `array.filter(...)` knows none of itself, so that its numbers
 * could not be encoded. What stands inside the containers needs nothing. Throws `ERR_GOB_USAGE` when one is
 * an array and the other is not.
 */
export function keepTypes<T extends object>(original: object, copy: T): T {
  if (Array.isArray(original) !== Array.isArray(copy))
    throw new GobError("ERR_GOB_USAGE", "gob: keepTypes: an array and something else");
  const type = objects.get(original);
  if (type !== undefined) objects.set(copy, type);
  for (const memory of [places, keys]) {
    const of = memory.get(original);
    // What is decoded into one of the two must not change the other's.
    if (of !== undefined)
      memory.set(copy, of instanceof NamedPlaces ? new NamedPlaces(new Map(of.types)) : of);
  }
  return copy;
}
