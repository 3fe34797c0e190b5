import { ErrorCode, type HeaderList, type Http2Error } from "../../http2/index.js";
import { GrpcStatus as Code } from "../status.js";

export { Code };

/** How a call ended. */
export interface CallStatus {
  readonly code: number;
  readonly details: string;
  /** What came with the status, without `grpc-status` and `grpc-message`. */
  readonly trailers: HeaderList;
  /** The connection's or the stream's own error, where it was that which ended the call. */
  readonly error?: Http2Error | undefined;
}

/** The value of a header field, undefined without it. */
export function fieldOf(headers: HeaderList, name: string): string | undefined {
  for (let i = 0; i < headers.length; i += 2) if (headers[i] === name) return headers[i + 1];
  return undefined;
}

/** Reads the status from the trailers; undefined if they have none. */
export function readStatus(headers: HeaderList): CallStatus | undefined {
  let status: string | undefined;
  let message = "";
  const trailers: HeaderList = [];
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]!;
    if (name === "grpc-status") status = headers[i + 1]!;
    else if (name === "grpc-message") message = headers[i + 1]!;
    else if (name !== ":status") trailers.push(name, headers[i + 1]!);
  }
  if (status === undefined) return undefined;
  if (!/^[0-9]{1,9}$/.test(status)) {
    return { code: Code.UNKNOWN, details: `transport: malformed grpc-status: ${status}`, trailers };
  }
  return { code: Number(status), details: decodeMessage(message), trailers };
}

/** The status of a response that is HTTP's, not gRPC's (gRPC: doc/http-grpc-status-mapping.md). */
export function statusOfHttp(httpStatus: string): CallStatus {
  const codes: Record<string, number> = {
    "400": Code.INTERNAL,
    "401": Code.UNAUTHENTICATED,
    "403": Code.PERMISSION_DENIED,
    "404": Code.UNIMPLEMENTED,
    "429": Code.UNAVAILABLE,
    "502": Code.UNAVAILABLE,
    "503": Code.UNAVAILABLE,
    "504": Code.UNAVAILABLE,
  };
  const details = `unexpected HTTP status code received from server: ${httpStatus}`;
  return { code: codes[httpStatus] ?? Code.UNKNOWN, details, trailers: [] };
}

/** The status of a call whose stream or connection ended without one (gRPC: PROTOCOL-HTTP2.md, Errors). */
export function statusOfError(error: Http2Error): CallStatus {
  const status = (code: number, details: string): CallStatus => ({ code, details, trailers: [], error });
  switch (error.code) {
    case "ERR_HTTP2_RESET":
      return status(codeOfReset(error.http2Code), error.message);
    case "ERR_HTTP2_STREAM":
      return status(Code.INTERNAL, error.message);
    default:
      return status(Code.UNAVAILABLE, error.message);
  }
}

/** grpc-go: http_util.go, http2ErrConvTab. */
function codeOfReset(code: number): number {
  switch (code) {
    case ErrorCode.REFUSED_STREAM:
      return Code.UNAVAILABLE;
    case ErrorCode.CANCEL:
      return Code.CANCELLED;
    case ErrorCode.ENHANCE_YOUR_CALM:
      return Code.RESOURCE_EXHAUSTED;
    case ErrorCode.FLOW_CONTROL_ERROR:
      return Code.RESOURCE_EXHAUSTED;
    case ErrorCode.INADEQUATE_SECURITY:
      return Code.PERMISSION_DENIED;
    default:
      return code > ErrorCode.HTTP_1_1_REQUIRED ? Code.UNKNOWN : Code.INTERNAL;
  }
}

/** Percent-encodes a status message: UTF-8, with everything but printable ASCII and the percent sign as `%XX`. */
export function encodeMessage(text: string): string {
  if (!/[^ -$&-~]/.test(text)) return text;
  const bytes = Buffer.from(text);
  const out = Buffer.allocUnsafe(bytes.length * 3);
  let length = 0;
  for (const byte of bytes) {
    if (byte >= 0x20 && byte <= 0x7e && byte !== 0x25) out[length++] = byte;
    else {
      out[length++] = 0x25;
      out[length++] = HEX.charCodeAt(byte >> 4);
      out[length++] = HEX.charCodeAt(byte & 15);
    }
  }
  return out.toString("latin1", 0, length);
}

const HEX = "0123456789ABCDEF";

/** The other way round; what is no `%XX` stands for itself (gRPC: PROTOCOL-HTTP2.md, Responses). */
export function decodeMessage(text: string): string {
  // Servers also send UTF-8 as it is, which is one character an octet here.
  if (!/[%\x80-\xff]/.test(text)) return text;
  const bytes = Buffer.from(text, "latin1");
  let length = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    const value = byte === 0x25 ? hexValue(bytes[i + 1]) * 16 + hexValue(bytes[i + 2]) : Number.NaN;
    if (Number.isNaN(value)) bytes[length++] = byte;
    else {
      bytes[length++] = value;
      i += 2;
    }
  }
  return bytes.toString("utf8", 0, length);
}

function hexValue(byte: number | undefined): number {
  if (byte === undefined) return Number.NaN;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : Number.NaN;
}
