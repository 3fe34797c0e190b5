import { type AnySchema, base } from "./schema.js";
import type { WireKind, WireTypes } from "./wiretype.js";

const KIND_OF = {
  bool: "bool",
  int: "int",
  uint: "uint",
  float: "float",
  complex: "complex",
  string: "string",
  bytes: "bytes",
  any: "interface",
} as const satisfies Record<string, WireKind>;

export const MARSHALER_KIND = {
  gob: "gobEncoder",
  binary: "binaryMarshaler",
  text: "textMarshaler",
} as const satisfies Record<string, WireKind>;

/**
 * Go's compatibleType (decode.go): whether values of a stream's type can be decoded with a schema. Structs always are
 * at this point; their fields are looked at when the struct is compiled.
 */
export function compatible(
  schema: AnySchema,
  id: number,
  types: WireTypes,
  inProgress: Map<AnySchema, Set<number>> = new Map(),
): boolean {
  const of = base(schema);
  const { node } = of;
  const type = types.get(id);
  if (node.kind === "custom") return type?.kind === MARSHALER_KIND[node.marshaler];
  if (type === undefined) return false;
  if (node.kind === "struct") return !type.kind.endsWith("er") || type.kind === "unknown";
  if (node.kind in KIND_OF) return KIND_OF[node.kind as keyof typeof KIND_OF] === type.kind;
  const seen = inProgress.get(of) ?? new Set();
  if (seen.has(id)) return true;
  inProgress.set(of, seen.add(id));
  switch (node.kind) {
    case "array":
      return (
        type.kind === "array" &&
        type.length === node.length &&
        compatible(node.elem, type.elem, types, inProgress)
      );
    case "slice":
      return type.kind === "slice" && compatible(node.elem, type.elem, types, inProgress);
    case "map":
      return (
        type.kind === "map" &&
        compatible(node.key, type.key, types, inProgress) &&
        compatible(node.elem, type.elem, types, inProgress)
      );
    default:
      return false;
  }
}
