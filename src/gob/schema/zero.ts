import { type AnySchema, type Output, resolve } from "./schema.js";

/**
 * Go's zero value of a schema, made anew: `0`, `0n`, `false`, `""`, an empty Buffer, `[]`, an empty Map, `null` for
 * pointers and interfaces, a struct of zeros, Go's zero time. What the decoder gives for a field that did not arrive.
 */
export function zero<S extends AnySchema>(schema: S): Output<S> {
  return zeroValue(schema) as Output<S>;
}

/** Go's zero value of a schema in its output form, made anew at each call. */
export function zeroValue(schema: AnySchema): unknown {
  const { node } = resolve(schema);
  switch (node.kind) {
    case "bool":
      return false;
    case "int":
    case "uint":
      return node.form === "bigint" ? 0n : 0;
    case "float":
      return 0;
    case "complex":
      return { re: 0, im: 0 };
    case "string":
      return node.raw ? Buffer.alloc(0) : "";
    case "bytes":
      return Buffer.alloc(0);
    case "slice":
      return [];
    case "array":
      return Array.from({ length: node.length }, () => zeroValue(node.elem));
    case "map":
      return node.nilable ? null : new Map();
    case "struct":
      return Object.fromEntries(node.fields.map(([name, of]) => [name, zeroValue(of)]));
    case "custom":
      return node.zero();
    case "pointer":
    case "interface":
    case "lazy":
      return null;
  }
}

/** A function that makes zero values: for scalars it need not look at the schema again. */
export function zeroMaker(schema: AnySchema): () => unknown {
  const { node } = resolve(schema);
  switch (node.kind) {
    case "struct":
    case "array":
    case "custom":
    case "complex":
      return () => zeroValue(schema);
    case "slice":
      return () => [];
    case "map":
      return node.nilable ? () => null : () => new Map();
    case "bytes":
      return () => Buffer.alloc(0);
    case "string":
      return node.raw ? () => Buffer.alloc(0) : () => "";
    default: {
      const zero = zeroValue(schema);
      return () => zero;
    }
  }
}

/** An estimate of the bytes that an element of a schema takes at least, to hold against the limit. */
export function elementCost(schema: AnySchema, depth = 0): number {
  const { node } = resolve(schema);
  if (depth > 4) return 16;
  switch (node.kind) {
    case "struct":
      return node.fields.reduce((sum, [, of]) => sum + elementCost(of, depth + 1), 24);
    case "array":
      return 16 + node.length * elementCost(node.elem, depth + 1);
    case "slice":
    case "map":
    case "bytes":
    case "custom":
      return 48;
    default:
      return 8;
  }
}
