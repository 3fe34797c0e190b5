import { type AnySchema, resolve } from "./schema.js";

/** What a schema stands for, one level deep: what generators and viewers need to know. */
export interface SchemaInfo {
  /**
   * The kind of Go type: `bool`, `int`, `uint8`, `float64`, `complex64`, `string` and so on for the builtin ones; `bytes` for
   * `[]byte`; `interface` for any interface; `custom` for what marshals itself.
   */
  readonly kind: string;
  /** The Go type's name with its import path, as `example.com/shop.Order`; "" for an unnamed type. */
  readonly name: string;
  /** The element of a slice, array or map, or what a pointer points to. */
  readonly elem?: AnySchema;
  /** The key of a map. */
  readonly key?: AnySchema;
  /** The length of an array. */
  readonly length?: number;
  /** The fields of a struct, in Go's order. */
  readonly fields?: readonly (readonly [name: string, schema: AnySchema])[];
  /** The pair of methods of a type that marshals itself, by the kind that {@link WireType} has for it. */
  readonly marshaler?: "gobEncoder" | "binaryMarshaler" | "textMarshaler";
}

/**
 * Tells what a schema stands for; undefined for a value that is no schema. Schemas that contain themselves give the same
 * object for the same type: compare `identity`.
 */
export function inspect(schema: unknown):
  | (SchemaInfo & {
      /** The same object for the same type. */
      readonly identity: AnySchema;
    })
  | undefined {
  // Not instanceof: a program may have loaded this package twice.
  const given = schema as AnySchema | null | undefined;
  if (typeof given?.node?.kind !== "string") return undefined;
  const identity = resolve(given);
  const { node, goName: name } = identity;
  switch (node.kind) {
    case "int":
    case "uint":
    case "float":
    case "complex":
      return { kind: node.go, name, identity };
    case "slice":
    case "pointer":
      return { kind: node.kind, name, identity, elem: node.elem };
    case "array":
      return { kind: node.kind, name, identity, elem: node.elem, length: node.length };
    case "map":
      return { kind: node.kind, name, identity, key: node.key, elem: node.elem };
    case "struct":
      return { kind: node.kind, name, identity, fields: node.fields };
    case "custom":
      return { kind: node.kind, name, identity, marshaler: node.marshaler };
    default:
      return { kind: node.kind, name, identity };
  }
}
