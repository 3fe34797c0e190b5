import type { Metadata, StatusObject } from "@grpc/grpc-js";
import { GoplugError } from "../errors.js";

/** What a {@link GrpcError} may carry beside status and text. */
export interface GrpcErrorOptions {
  /** What led to the error; stays on this side. */
  readonly cause?: unknown;
  /** Sent as the trailer by a handler that throws the error. */
  readonly metadata?: Metadata | undefined;
  /** What was being done, for the message. */
  readonly what?: string | undefined;
}

/**
 * A gRPC status other than OK. A handler throws it to answer with that status; goplug's own calls (ping, shutdown)
 * throw it when they got one.
 */
export class GrpcError extends GoplugError {
  override readonly name = "GrpcError";
  /** gRPC's status code, such as 5 for NOT_FOUND. */
  readonly status: number;
  /** The text that goes, or came, with it. */
  readonly details: string;
  /** The trailer that goes with it. */
  readonly metadata: Metadata | undefined;

  /** @param status gRPC's status code, 1 to 16 */
  constructor(status: number, details: string, { cause, metadata, what }: GrpcErrorOptions = {}) {
    const where = what === undefined ? "" : `${what}: `;
    super("ERR_GRPC_STATUS", `${where}${details} (gRPC status ${status})`, { cause });
    this.status = status;
    this.details = details;
    this.metadata = metadata;
  }
}

/** A connection could not be made. */
export class GrpcConnectError extends GoplugError {
  override readonly name = "GrpcConnectError";

  constructor(message: string, cause?: unknown) {
    super("ERR_GRPC_CONNECT", message, { cause });
  }
}

// Not grpc-js's enumeration: definitions load without it.
const CANCELLED = 1;
const UNKNOWN = 2;
const DEADLINE_EXCEEDED = 4;

/** How errors of other packages say what grpc-go reads off context.Canceled and context.DeadlineExceeded. */
const statusOfName: Readonly<Record<string, number>> = {
  AbortError: CANCELLED,
  AbortedError: CANCELLED,
  TimeoutError: DEADLINE_EXCEEDED,
  CallTimeoutError: DEADLINE_EXCEEDED,
};

/**
 * The status that a handler's error becomes: that of a {@link GrpcError}, and of anything with a gRPC status in a
 * numeric `code` (grpc-js's ServiceError and StatusObject, connect-es's ConnectError); CANCELLED and DEADLINE_EXCEEDED
 * for signals and timeouts; else UNKNOWN with the error's message (grpc-go, server.go: processUnaryRPC).
 */
export function statusOf(error: unknown, trailer?: Metadata): Partial<StatusObject> {
  const { code, details, rawMessage, metadata, name, message } = (error ?? {}) as Record<string, unknown>;
  const all = bothOf(isMetadata(metadata) ? metadata : undefined, trailer);
  const rest = all === undefined ? {} : { metadata: all };
  if (error instanceof GrpcError) return { code: error.status, details: error.details, ...rest };
  const text = [details, rawMessage, message].find((value) => typeof value === "string") as
    | string
    | undefined;
  const status = isStatus(code) ? code : (statusOfName[String(name)] ?? UNKNOWN);
  return { code: status, details: text ?? String(error), ...rest };
}

function bothOf(own: Metadata | undefined, trailer: Metadata | undefined): Metadata | undefined {
  if (own === undefined || trailer === undefined) return own ?? trailer;
  const both = own.clone();
  both.merge(trailer);
  return both;
}

/** grpc-js's; that of connect-es's errors is something else. */
function isMetadata(value: unknown): value is Metadata {
  return typeof (value as Partial<Metadata> | undefined)?.getMap === "function";
}

function isStatus(code: unknown): code is number {
  return Number.isInteger(code) && (code as number) > 0 && (code as number) <= 16;
}
