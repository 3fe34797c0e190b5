import { canGenerate } from "../codegen.js";
import { goText, goTypeOf } from "../schema/go-type.js";
import { type AnySchema, base, type StructNode } from "../schema/schema.js";
import { corrupt } from "../wire/reader.js";
import { type WireType, type WireTypes, wireText } from "../wire/wire-type.js";
import { compatible } from "./compat.js";
import type { DecodeOp, Decoding } from "./decoding.js";
import { generateDecode } from "./generate.js";
import { mismatch } from "./mismatch.js";
import { OpBuilder } from "./ops.js";

/** Go's compileDec (decode.go). `types` must not change afterwards: the operations may serve other streams, too. */
export function buildDecode(schema: AnySchema, id: number, types: WireTypes): Decoding {
  const of = base(schema);
  // Go is given a pointer to what it decodes into, and its error texts say so.
  const name = `*${goText(schema)}`;
  const builder = new OpBuilder(types);
  if (of.node.kind !== "struct") {
    checkSingle(of, id, types, name);
    const op = builder.op(of, id, name);
    const single = (inner: DecodeOp): DecodeOp => {
      return (r, into) => {
        r.singleton();
        return inner(r, into);
      };
    };
    const exact = single(op);
    return {
      fast: canGenerate() && isComposite(of) ? single(generate(of, id, types, builder)) : exact,
      exact,
    };
  }
  const type = types.get(id);
  if (type === undefined) throw corrupt("gob: unknown type id or corrupted data");
  const op = builder.op(of, id, name);
  checkFields(of, of.node.fields, type);
  return { fast: canGenerate() ? generate(of, id, types, builder) : op, exact: op };
}

function isComposite(schema: AnySchema): boolean {
  return ["slice", "array", "map"].includes(schema.node.kind);
}

function generate(schema: AnySchema, id: number, types: WireTypes, builder: OpBuilder): DecodeOp {
  return generateDecode(schema, id, types, (of, inner, name) => builder.op(of, inner, name));
}

function checkSingle(schema: AnySchema, id: number, types: WireTypes, name: string): void {
  if (compatible(schema, id, types)) return;
  const remote = wireText(types, id);
  throw mismatch(
    schema.node.kind === "interface"
      ? `gob: local interface type ${name} can only be decoded from remote interface type; received concrete type ${remote}`
      : `gob: decoding into local type ${name}, received remote type ${remote}`,
  );
}

/** Two structs that both have fields must have one in common. */
function checkFields(of: AnySchema, fields: StructNode["fields"], type: WireType): void {
  if (fields.length === 0 || type.fields.length === 0) return;
  const names = new Set(fields.map(([field]) => field));
  if (type.fields.some((field) => names.has(field.name))) return;
  throw mismatch(
    `gob: type mismatch: no fields matched compiling decoder for ${goTypeOf(of).name}`,
    `the stream has ${type.fields.map((field) => field.name).join(", ")}; the schema has ${[...names].join(", ")}`,
  );
}
