import { type AnySchema, base } from "../schema/schema.js";
import { builtinId, isMarshaler } from "../wire/kinds.js";
import type { WireTypes } from "../wire/wire-type.js";

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
  if (node.kind === "custom") return type?.kind === node.marshaler;
  if (type === undefined) return false;
  if (node.kind === "struct") return !isMarshaler(type.kind);
  if (builtinId(node.kind) !== undefined) return node.kind === type.kind;
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
