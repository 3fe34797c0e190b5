import { GoplugError } from "../errors.js";

/**
 * The stable codes of {@link GobError}.
 *
 * - `ERR_GOB_EOF`: the input ended at a value boundary (Go's io.EOF)
 * - `ERR_GOB_UNEXPECTED_EOF`: the input ended inside a value (Go's io.ErrUnexpectedEOF)
 * - `ERR_GOB_CORRUPT`: the bytes are not gob
 * - `ERR_GOB_MISMATCH`: what the stream holds cannot be decoded with this schema
 * - `ERR_GOB_RANGE`: a number does not fit the Go type or the JavaScript type of the schema
 * - `ERR_GOB_VALUE`: a value given to the encoder is not one of the schema's
 * - `ERR_GOB_UTF8`: a string that is not well-formed Unicode, under the policy `refuse`
 * - `ERR_GOB_UNREGISTERED`: an interface value of a concrete type that the registry does not know
 * - `ERR_GOB_LIMIT`: one of the limits was reached
 * - `ERR_GOB_MARSHALER`: a custom type's own function threw; `cause` is what it threw
 * - `ERR_GOB_SCHEMA`: a schema that no Go type corresponds to
 * - `ERR_GOB_USAGE`: a method was called when it may not be
 */
export type GobErrorCode =
  | "ERR_GOB_EOF"
  | "ERR_GOB_UNEXPECTED_EOF"
  | "ERR_GOB_CORRUPT"
  | "ERR_GOB_MISMATCH"
  | "ERR_GOB_RANGE"
  | "ERR_GOB_VALUE"
  | "ERR_GOB_UTF8"
  | "ERR_GOB_UNREGISTERED"
  | "ERR_GOB_LIMIT"
  | "ERR_GOB_MARSHALER"
  | "ERR_GOB_SCHEMA"
  | "ERR_GOB_USAGE";

/** Where an error of the codec happened, and what led to it. */
export interface GobErrorDetails {
  /** What the stream has and what the schema wants, where Go's words leave that out. */
  detail?: string | undefined;
  /** Where in the value, as `Order.Items[3].Price`. */
  path?: string | undefined;
  /** Byte offset in the stream. */
  offset?: number | undefined;
  /** What a custom type's function threw. */
  cause?: unknown;
}

/** Every error of the codec. `message` is `goText` followed by particulars and by where it happened. */
export class GobError extends GoplugError {
  /** Always "GobError". */
  override readonly name: string = "GobError";
  declare readonly code: GobErrorCode;
  /** Go's own words for this error where Go has some, without path and offset. */
  readonly goText: string;
  /** Where in the value, as `Order.Items[3].Price`; undefined when it is not about a part of a value. */
  readonly path: string | undefined;
  /** Byte offset in the stream at which decoding stopped; undefined for errors of the encoder. */
  readonly offset: number | undefined;

  /** Made by the codec; `goText` becomes the message, together with the details. */
  constructor(code: GobErrorCode, goText: string, details: GobErrorDetails = {}) {
    const where = [
      ...(details.path === undefined ? [] : [`at ${details.path}`]),
      ...(details.offset === undefined ? [] : [`byte ${details.offset}`]),
    ].join(", ");
    const text = details.detail === undefined ? goText : `${goText}: ${details.detail}`;
    super(
      code,
      where === "" ? text : `${text} (${where})`,
      details.cause === undefined ? {} : { cause: details.cause },
    );
    this.goText = goText;
    this.path = details.path;
    this.offset = details.offset;
  }
}

/**
 * What the codec throws inside itself: no stack trace (they cost more than decoding a message), and a path that
 * grows from the innermost part outwards. It becomes a GobError where the public call returns.
 */
export class Fault {
  readonly code: GobErrorCode;
  readonly text: string;
  readonly cause: unknown;
  readonly detail: string | undefined;
  path = "";

  constructor(code: GobErrorCode, text: string, more: { cause?: unknown; detail?: string | undefined } = {}) {
    this.code = code;
    this.text = text;
    this.cause = more.cause;
    this.detail = more.detail;
  }
}

/** Puts a step in front of the fault's path and returns the error to throw on. */
export function within(step: string, error: unknown): unknown {
  if (error instanceof Fault) error.path = step + error.path;
  return error;
}

/** The step into a map's element. */
export function keyStep(key: unknown): string {
  if (typeof key === "string") return `[${JSON.stringify(key)}]`;
  // Objects may have no way to be shown, and none of them would help.
  return typeof key === "object" || typeof key === "function" ? "[...]" : `[${String(key)}]`;
}

/** Turns what was thrown inside the codec into what the caller gets. */
export function toGobError(error: unknown, root: string, offset?: number): unknown {
  if (error instanceof Fault) {
    const path = error.path === "" ? undefined : root + error.path;
    return new GobError(error.code, error.text, { detail: error.detail, path, offset, cause: error.cause });
  }
  // V8 has no other sign of an exhausted stack; the depth limit usually strikes first.
  if (error instanceof RangeError && error.message === "Maximum call stack size exceeded")
    return new GobError("ERR_GOB_LIMIT", "gob: value nested too deeply", { offset, cause: error });
  return error;
}
