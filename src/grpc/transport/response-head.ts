import type { HeaderList } from "../../http2/index.js";
import { type CallStatus, Code, fieldOf, readStatus, statusOfHttp } from "./status.js";

// What a response's header fields say of the call (gRPC: PROTOCOL-HTTP2.md, Responses).

/** The status in the header fields that end a response: its trailers, or all that it has. */
export function statusOfTrailers(headers: HeaderList): CallStatus {
  const status = readStatus(headers);
  if (status !== undefined) return status;
  const httpStatus = fieldOf(headers, ":status");
  if (httpStatus !== undefined && httpStatus !== "200") return statusOfHttp(httpStatus);
  return { ...without("server closed the stream without a grpc-status"), code: Code.UNKNOWN };
}

/** Why header fields that are to be followed by messages are none of gRPC's; undefined if they are. */
export function responseFault(headers: HeaderList): CallStatus | undefined {
  // Its place has been checked.
  const httpStatus = headers[1]!;
  if (httpStatus !== "200") return statusOfHttp(httpStatus);
  const contentType = fieldOf(headers, "content-type");
  if (contentType !== undefined && /^application\/grpc([+;]|$)/.test(contentType)) return undefined;
  const details = `unexpected content-type from server: ${contentType ?? "none"}`;
  return { code: Code.UNKNOWN, details, trailers: [] };
}

/** The status of a response that lacks what it must have. */
export function without(details: string): CallStatus {
  return { code: Code.INTERNAL, details, trailers: [] };
}
