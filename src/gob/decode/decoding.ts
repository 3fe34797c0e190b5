import type { Registry } from "../schema/registry.js";
import type { AnySchema } from "../schema/schema.js";
import type { StreamReader } from "./skip.js";

/** What decoding needs of the stream: its types, and where interface values go on. */
export interface DecodeState extends StreamReader {
  readonly registry: Registry;
  /** The type of the interface value that was read last, unless that is plain to see. */
  arrived: AnySchema | undefined;
  /** Decodes an interface's content. */
  content(schema: AnySchema, id: number): unknown;
}

/**
 * Reads a value. With a value to decode into, it is merged as Go does it: struct fields and map entries that did not
 * arrive stay, array and slice elements are overwritten in place.
 */
export type DecodeOp = (r: DecodeState, into: unknown) => unknown;

/** The operations for a value as it stands at top level or in an interface. */
export interface Decoding {
  /** Generated, where that is allowed; whatever it throws, `exact` has to say what is wrong. */
  readonly fast: DecodeOp;
  /** Through closures; knows paths, and can decode into a value. */
  readonly exact: DecodeOp;
}
