/**
 * Go's encoding/gob, both ways, typed by schema or without one.
 *
 * @module goplug/gob
 */

export { Decoder, type DecoderOptions, decode, NEED_MORE } from "./decode/decoder.js";
export { Described, type DescribedValue, Opaque } from "./decode/describe.js";
export type { Limits } from "./decode/stream-state.js";
export { type Checkpoint, Encoder, type EncoderOptions, encode } from "./encode/encoder.js";
export { GobError, type GobErrorCode, type GobErrorDetails } from "./errors.js";
export * from "./schema/composites.js";
export { type CustomType, custom } from "./schema/custom.js";
export { inspect, type SchemaInfo } from "./schema/inspect.js";
export { Registry, registry } from "./schema/registry.js";
export { keepTypes } from "./schema/remember.js";
export * from "./schema/scalars.js";
export { type AnySchema, type Input, type Output, Schema } from "./schema/schema.js";
export { type AnyInput, type AnyOutput, TypedValue, value } from "./schema/typed-value.js";
export { zero } from "./schema/zero.js";
export { type BigFloat, bigFloat, bigInt, bigRat, type Rational } from "./types/big.js";
export { netipAddr, url, uuid } from "./types/net.js";
export { GoTime, time } from "./types/time.js";
export type { BuiltinKind, DefinedKind, WireKind } from "./wire/kinds.js";
export type { InvalidUtf8 } from "./wire/text.js";
export type { WireField, WireType } from "./wire/wire-type.js";
