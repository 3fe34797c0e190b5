import { GoplugError } from "../errors.js";

/** The codes of {@link StreamError}. */
export type StreamErrorCode =
  /** More bytes came than the caller had allowed. */
  | "ERR_STREAM_LIMIT"
  /** The other side asked for bytes with something that is no varint. */
  | "ERR_STREAM_BAD_REQUEST"
  /** The stream was closed before everything was sent. */
  | "ERR_STREAM_CLOSED";

/** Bytes over a brokered stream that could not be sent or taken. */
export class StreamError extends GoplugError {
  override readonly name = "StreamError";
  declare readonly code: StreamErrorCode;

  constructor(code: StreamErrorCode, message: string, options?: { cause?: unknown }) {
    super(code, message, options);
  }
}
