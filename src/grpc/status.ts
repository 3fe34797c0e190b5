/** gRPC's status codes (gRPC: doc/statuscodes.md). */
export const GrpcStatus = {
  /** No error. */
  OK: 0,
  /** The caller has given the call up. */
  CANCELLED: 1,
  /** An error without a status of its own. */
  UNKNOWN: 2,
  /** The request is wrong, whatever state the server is in. */
  INVALID_ARGUMENT: 3,
  /** The time for the call is over. */
  DEADLINE_EXCEEDED: 4,
  /** What the request asks for is not there. */
  NOT_FOUND: 5,
  /** What the request wants to make is there. */
  ALREADY_EXISTS: 6,
  /** The caller, who is known, may not do this. */
  PERMISSION_DENIED: 7,
  /** Something is used up: a quota, the room for a message. */
  RESOURCE_EXHAUSTED: 8,
  /** The server is not in the state for this, and trying again changes nothing. */
  FAILED_PRECONDITION: 9,
  /** Another call came in between: begin anew. */
  ABORTED: 10,
  /** The request goes beyond the end of something. */
  OUT_OF_RANGE: 11,
  /** There is no such method. */
  UNIMPLEMENTED: 12,
  /** A fault of the server or of what is below it. */
  INTERNAL: 13,
  /** There is no connection, or the server does not serve now. */
  UNAVAILABLE: 14,
  /** Data is lost or broken for good. */
  DATA_LOSS: 15,
  /** The caller has not said who it is. */
  UNAUTHENTICATED: 16,
} as const;

const names: readonly string[] = Object.keys(GrpcStatus);

/** A code's name, or the number itself for one that gRPC does not know. */
export function nameOfStatus(code: number): string {
  return names[code] ?? String(code);
}
