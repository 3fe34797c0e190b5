import type { TypedValue } from "../schema/typed-value.js";
import type { Writer } from "../wire/writer.js";

/** What the operations need of the encoder beside the bytes: interface values bring types along. */
export interface EncodeState extends Writer {
  /** How many nil interfaces were written. */
  nilInterfaces: number;
  /** Writes an interface value: name, definitions, id, length, content. */
  interfaceValue(value: TypedValue): void;
}

/** Writes a value, zeros included. */
export type EncodeOp = (w: EncodeState, value: unknown) => void;
/** Whether a struct leaves a field with this value out. */
export type OmitTest = (value: unknown) => boolean;

export interface Encoding {
  readonly write: EncodeOp;
  readonly omit: OmitTest;
}
