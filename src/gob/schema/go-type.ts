import { GobError } from "../errors.js";
import { type AnySchema, base, type GoType, resolve } from "./schema.js";

const interned = new Map<string, { type: GoType; id: number }>();
const ids = new WeakMap<AnySchema, number>();
let nextId = 0;

// Programs have some hundreds of types. Beyond this, types are made on the fly, and remembering
// them would be a leak; forgetting only costs a repeated definition.
const MAX_INTERNED = 20_000;

/**
 * Where a separator of a named type's own name stands last. The type arguments of a generic type, in brackets behind it,
 * have dots and slashes of their own.
 */
function lastOf(separator: string, goName: string): number {
  const bracket = goName.indexOf("[");
  return (bracket < 0 ? goName : goName.slice(0, bracket)).lastIndexOf(separator);
}

/** Go's Name() of a named type: what stands behind the last dot. */
function shortName(goName: string): string {
  return goName.slice(lastOf(".", goName) + 1);
}

/** Go's String() of a named type: the last element of the import path, then the name. */
function qualifiedName(goName: string): string {
  return goName.slice(lastOf("/", goName) + 1);
}

/** Go's reflect.Type.String() of the schema's type, pointers and all. */
export function goText(schema: AnySchema, outer: readonly AnySchema[] = []): string {
  const at = resolve(schema);
  if (at.goName !== "") return qualifiedName(at.goName);
  // An unnamed type that contains itself has no Go spelling.
  if (outer.includes(at)) return "...";
  const stack = [...outer, at];
  const { node } = at;
  switch (node.kind) {
    case "bool":
    case "string":
      return node.kind;
    case "int":
    case "uint":
    case "float":
    case "complex":
      return node.go;
    case "bytes":
      return "[]uint8";
    case "interface":
      return "interface {}";
    case "slice":
      return `[]${goText(node.elem, stack)}`;
    case "array":
      return `[${node.length}]${goText(node.elem, stack)}`;
    case "map":
      return `map[${goText(node.key, stack)}]${goText(node.elem, stack)}`;
    case "pointer":
      return `*${goText(node.elem, stack)}`;
    case "struct":
      if (node.fields.length === 0) return "struct {}";
      return `struct { ${node.fields.map(([name, of]) => `${name} ${goText(of, stack)}`).join("; ")} }`;
    case "custom":
    case "lazy":
      return "custom";
  }
}

interface Keyed {
  key: string;
  /** How far up the stack the lowest back reference reaches; Infinity without any. */
  reach: number;
}

function keyOf(schema: AnySchema, stack: AnySchema[]): Keyed {
  const at = resolve(schema);
  const known = ids.get(at);
  if (known !== undefined) return { key: `#${known}`, reach: Number.POSITIVE_INFINITY };
  const seen = stack.indexOf(at);
  if (seen >= 0) return { key: `^${stack.length - seen}`, reach: seen };
  const { node } = at;
  let reach = Number.POSITIVE_INFINITY;
  const child = (of: AnySchema): string => {
    const inner = keyOf(of, stack);
    reach = Math.min(reach, inner.reach);
    return inner.key;
  };
  stack.push(at);
  let key: string;
  switch (node.kind) {
    case "slice":
      key = `[]${child(node.elem)}`;
      break;
    case "array":
      key = `[${node.length}]${child(node.elem)}`;
      break;
    case "map":
      key = `map[${child(node.key)}]${child(node.elem)}`;
      break;
    case "pointer":
      key = `*${child(node.elem)}`;
      break;
    case "struct":
      key = `{${node.fields.map(([name, of]) => `${name} ${child(of)}`).join(";")}}`;
      break;
    case "custom":
      key = node.marshaler + (at.goName === "" ? `?${nextId++}` : "");
      break;
    default:
      key = goText(at);
  }
  stack.pop();
  key = `${at.goName}=${key}`;
  if (reach < stack.length) return { key, reach };
  // Nothing in it refers to what surrounds it, so it can be known by a number from now on.
  let entry = interned.get(key);
  if (entry === undefined) {
    if (interned.size >= MAX_INTERNED) interned.clear();
    const text = goText(at);
    const type = { name: shortName(at.goName), text, registered: at.goName || text, schema: at };
    entry = { type, id: nextId++ };
    interned.set(key, entry);
  }
  ids.set(at, entry.id);
  // A pointer's Go type is what it points to; goTypeOf sees to that.
  if (node.kind !== "pointer") at.goType ??= entry.type;
  return { key: `#${entry.id}`, reach: Number.POSITIVE_INFINITY };
}

/** The Go type of a schema, pointers stripped. */
export function goTypeOf(schema: AnySchema): GoType {
  if (schema.goType !== undefined) return schema.goType;
  const of = base(schema);
  if (of.goType === undefined) keyOf(of, []);
  const type = of.goType;
  if (type === undefined) throw new GobError("ERR_GOB_SCHEMA", "gob: a schema that refers to itself only");
  schema.goType = type;
  return type;
}
