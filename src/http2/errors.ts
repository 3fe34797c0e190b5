import { GoplugError } from "../errors.js";

/** HTTP/2 error codes, as GOAWAY and RST_STREAM frames carry them (RFC 9113, section 7). */
export const ErrorCode = {
  NO_ERROR: 0x0,
  PROTOCOL_ERROR: 0x1,
  INTERNAL_ERROR: 0x2,
  FLOW_CONTROL_ERROR: 0x3,
  SETTINGS_TIMEOUT: 0x4,
  STREAM_CLOSED: 0x5,
  FRAME_SIZE_ERROR: 0x6,
  REFUSED_STREAM: 0x7,
  CANCEL: 0x8,
  COMPRESSION_ERROR: 0x9,
  CONNECT_ERROR: 0xa,
  ENHANCE_YOUR_CALM: 0xb,
  INADEQUATE_SECURITY: 0xc,
  HTTP_1_1_REQUIRED: 0xd,
} as const;

const names = Object.keys(ErrorCode);

/** The name of an error code, such as PROTOCOL_ERROR; a code that RFC 9113 does not know as a number. */
export function errorName(code: number): string {
  return names[code] ?? `error code ${code}`;
}

/** What became of a connection or stream: the `code` of an {@link Http2Error}. */
export type Http2ErrorCode =
  /** The peer broke the protocol: this side has ended the connection. */
  | "ERR_HTTP2_PROTOCOL"
  /** The peer ended the connection with an error. */
  | "ERR_HTTP2_GOAWAY"
  /** The peer takes no further streams, did not process this one, or never got it. */
  | "ERR_HTTP2_REFUSED"
  /** The peer reset the stream. */
  | "ERR_HTTP2_RESET"
  /** The stream broke the protocol: this side has reset it. */
  | "ERR_HTTP2_STREAM"
  /** The connection was lost, or could not be used. */
  | "ERR_HTTP2_CONNECTION"
  /** The peer did not answer a PING in time. */
  | "ERR_HTTP2_KEEPALIVE"
  /** This side has closed the connection, or reset the stream. */
  | "ERR_HTTP2_CLOSED";

/** An error of an HTTP/2 connection or stream. */
export class Http2Error extends GoplugError {
  override readonly name = "Http2Error";
  declare readonly code: Http2ErrorCode;
  /** The code of the GOAWAY or RST_STREAM frame that was sent or received (see {@link ErrorCode}). */
  readonly http2Code: number;

  constructor(code: Http2ErrorCode, http2Code: number, message: string, cause?: unknown) {
    super(code, message, { cause });
    this.http2Code = http2Code;
  }
}

/** The peer broke the protocol in a way that ends the connection (RFC 9113, section 5.4.1). */
export function connectionError(http2Code: number, message: string): Http2Error {
  return new Http2Error("ERR_HTTP2_PROTOCOL", http2Code, `${errorName(http2Code)}: ${message}`);
}
