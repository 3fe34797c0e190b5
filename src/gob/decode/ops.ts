import { within } from "../errors.js";
import { elementCost, structCost } from "../schema/cost.js";
import { goText } from "../schema/go-type.js";
import { type AnySchema, base, hasArrivals } from "../schema/schema.js";
import { zeroMaker } from "../schema/zero.js";
import { corrupt } from "../wire/reader.js";
import { type WireTypes, wireText } from "../wire/wire-type.js";
import { compatible } from "./compat.js";
import { arrayOp, mapOp, sliceOp, structOp } from "./composites.js";
import type { DecodeOp } from "./decoding.js";
import { customOp, integerOp, interfaceOp, single } from "./leaves.js";
import { mismatch } from "./mismatch.js";

/** Builds the operations for one pair of schema and remote type; recursive pairs find themselves in `made`. */
export class OpBuilder {
  readonly #types: WireTypes;
  readonly #made = new Map<AnySchema, Map<number, { op: DecodeOp }>>();

  constructor(types: WireTypes) {
    this.#types = types;
  }

  /** `name` is what Go's overflow errors call the place. */
  op(schema: AnySchema, id: number, name: string): DecodeOp {
    const of = base(schema);
    const { node } = of;
    switch (node.kind) {
      case "bool":
        return (r) => {
          r.words();
          return (r.high | r.low) !== 0;
        };
      case "int":
      case "uint":
        return integerOp(node, name);
      case "float":
        return node.single ? (r) => single(r.float(), name) : (r) => r.float();
      case "complex":
        return node.single
          ? (r) => ({ re: single(r.float(), name), im: single(r.float(), name) })
          : (r) => ({ re: r.float(), im: r.float() });
      case "string":
        if (node.lenient) return (r) => r.string("replace");
        return node.raw ? (r) => r.bytes() : (r) => r.string();
      case "bytes":
        return (r) => r.bytes();
      case "interface":
        return interfaceOp(node.typed);
      case "custom":
        return customOp(node);
    }
    // Composite: recursive types must find the operation that is being built.
    let byId = this.#made.get(of);
    if (byId === undefined) {
      byId = new Map();
      this.#made.set(of, byId);
    }
    let slot = byId.get(id);
    if (slot === undefined) {
      slot = { op: () => undefined };
      byId.set(id, slot);
      slot.op = this.#composite(of, id, name);
    }
    const known = slot;
    return (r, into) => known.op(r, into);
  }

  #composite(schema: AnySchema, id: number, name: string): DecodeOp {
    const { node } = schema;
    const type = this.#types.get(id);
    if (type === undefined) throw corrupt("gob: unknown type id or corrupted data");
    switch (node.kind) {
      case "slice":
        return sliceOp(
          this.op(node.elem, type.elem, `element of ${name}`),
          elementCost(node.elem),
          hasArrivals(node.elem),
        );
      case "array":
        return arrayOp(
          this.op(node.elem, type.elem, `element of ${name}`),
          node.length,
          elementCost(node.elem),
          hasArrivals(node.elem),
        );
      case "map":
        return mapOp(
          this.op(node.key, type.key, `key of ${name}`),
          this.op(node.elem, type.elem, `element of ${name}`),
          node,
        );
      case "struct":
        return this.#struct(schema, node.fields, id);
      default:
        throw corrupt(`gob: decode can't handle type ${goText(schema)}`);
    }
  }

  #struct(schema: AnySchema, fields: readonly (readonly [string, AnySchema])[], id: number): DecodeOp {
    const type = this.#types.get(id)!;
    if (type.kind !== "struct")
      throw mismatch(`gob: type mismatch in decoder: want struct type ${goText(schema)}; got non-struct`);
    const local = new Map(fields);
    const ops = type.fields.map((field) => {
      if (field.name === "") throw corrupt(`gob: empty name for remote field of type ${type.name}`);
      const of = local.get(field.name);
      if (of === undefined) return { name: field.name, op: undefined, id: field.id, arrives: false };
      if (!compatible(of, field.id, this.#types)) {
        const fault = mismatch(
          `gob: wrong type (${goText(of)}) for received field ${type.name}.${field.name}`,
          `the stream has ${wireText(this.#types, field.id)}`,
        );
        throw within(`.${field.name}`, fault);
      }
      const op = this.op(of, field.id, field.name);
      return { name: field.name, op, id: field.id, arrives: hasArrivals(of) };
    });
    return structOp(ops, zeroMaker(schema) as () => Record<string, unknown>, structCost(schema), this.#types);
  }
}
