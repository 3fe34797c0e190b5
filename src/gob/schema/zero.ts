import { GobError } from "../errors.js";
import { type AnySchema, type Output, resolve } from "./schema.js";

/**
 * Go's zero value of a schema, made anew: `0`, `0n`, `false`, `""`, an empty Buffer, `[]`, an empty Map, `null` for
 * pointers and interfaces, a struct of zeros, Go's zero time. What the decoder gives for a field that did not arrive.
 * Throws `ERR_GOB_SCHEMA` for a struct that contains itself otherwise than through a pointer, slice or map.
 */
export function zero<S extends AnySchema>(schema: S): Output<S> {
  return zeroMaker(schema)() as Output<S>;
}

const makers = new WeakMap<AnySchema, () => unknown>();

/** A function that makes zero values; it need not look at the schema again. Throws as {@link zero}. */
export function zeroMaker(schema: AnySchema): () => unknown {
  const at = resolve(schema);
  let maker = makers.get(at);
  if (maker === undefined) {
    // Found only by a struct that leads back here before this maker is known.
    makers.set(at, () => {
      throw endless();
    });
    try {
      maker = buildMaker(at);
    } catch (error) {
      makers.delete(at);
      throw error;
    }
    makers.set(at, maker);
  }
  return maker;
}

function endless(): GobError {
  return new GobError("ERR_GOB_SCHEMA", "gob: a struct that contains itself, and not by pointer");
}

function buildMaker(schema: AnySchema): () => unknown {
  const { node } = schema;
  switch (node.kind) {
    case "bool":
      return () => false;
    case "int":
    case "uint":
      return node.form === "bigint" ? () => 0n : () => 0;
    case "float":
      return () => 0;
    case "complex":
      return () => ({ re: 0, im: 0 });
    case "string":
      return node.raw ? () => Buffer.alloc(0) : () => "";
    case "bytes":
      return () => Buffer.alloc(0);
    case "slice":
      return () => [];
    case "array": {
      const make = zeroMaker(node.elem);
      return () => Array.from({ length: node.length }, make);
    }
    case "map":
      return node.nilable ? () => null : () => new Map();
    case "struct":
      return structMaker(node.fields.map(([name, of]) => [name, zeroMaker(of)] as const));
    case "custom":
      return () => node.zero();
    case "pointer":
    case "interface":
    case "lazy":
      return () => null;
  }
}

function structMaker(fields: readonly (readonly [string, () => unknown])[]): () => unknown {
  // Copying an object is many times faster than building one field by field, and takes the least memory.
  const template = Object.fromEntries(fields.map(([name, make]) => [name, make()]));
  const mutable = fields.filter(([name]) => typeof template[name] === "object" && template[name] !== null);
  return () => {
    const object = { ...template };
    for (const [name, make] of mutable) object[name] = make();
    return object;
  };
}
