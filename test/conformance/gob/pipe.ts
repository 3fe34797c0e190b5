import * as gob from "../../../src/gob/index.js";

/** Encodes with one schema and decodes with another, as two Go programs with different types do. */
export function pipe<In, Out>(
  from: gob.Schema<In, unknown>,
  value: In,
  to: gob.Schema<never, Out>,
  options: { registry?: gob.Registry } = {},
): Out {
  const bytes = gob.encode(from as gob.Schema<unknown, unknown>, value, options);
  return gob.decode(to as gob.Schema<never, Out>, bytes, options) as Out;
}

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
export const unhex = (text: string): Buffer => Buffer.from(text, "hex");
