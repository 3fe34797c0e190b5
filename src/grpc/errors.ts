import { GoplugError, thrownText } from "../errors.js";
import { isMetadata, Metadata, type MetadataInit, type MetadataLike } from "./metadata.js";
import { GrpcStatus, nameOfStatus } from "./status.js";

/** What a {@link GrpcError} may carry beside status and text. */
export interface GrpcErrorOptions {
  /** What led to the error; stays on this side. */
  readonly cause?: unknown;
  /** Sent as the trailer by a handler that throws the error. */
  readonly metadata?: MetadataInit | undefined;
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
  readonly metadata: MetadataInit | undefined;

  /** @param status gRPC's status code, 1 to 16 */
  constructor(status: number, details: string, { cause, metadata, what }: GrpcErrorOptions = {}) {
    const where = what === undefined ? "" : `${what}: `;
    super("ERR_GRPC_STATUS", `${where}${details} (gRPC status ${status})`, { cause });
    this.status = status;
    this.details = details;
    this.metadata = metadata;
  }
}

/** What a {@link GrpcCallError} is made of. */
export interface GrpcCallFailure {
  /** gRPC's status code. */
  readonly code: number;
  /** The text that came with it. */
  readonly details: string;
  /** The trailers that came with it. */
  readonly metadata?: MetadataLike | undefined;
  /** What is known of the reason. */
  readonly cause?: unknown;
}

/**
 * How a call of `conn.protobuf` fails that the server, or the transport, has ended with another status than OK. It has
 * the fields of grpc-js's ServiceError.
 */
export class GrpcCallError extends Error {
  /** The class's name, for programs in which `instanceof` fails because goplug is loaded twice. */
  override readonly name = "GrpcCallError";
  /** gRPC's status code, such as 5 for NOT_FOUND. */
  readonly code: number;
  /** The text that came with it. */
  readonly details: string;
  /** The trailers that came with it: `grpc-status-details-bin` among them, where the server sent details. */
  readonly metadata: Metadata;

  constructor({ code, details, metadata, cause }: GrpcCallFailure) {
    super(`${code} ${nameOfStatus(code)}: ${details}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.details = details;
    this.metadata = Metadata.from(metadata ?? {});
  }
}

/** The package `@grpc/grpc-js` is needed, and not installed. */
export class GrpcMissingError extends GoplugError {
  override readonly name = "GrpcMissingError";

  /** @param what what needs it */
  constructor(what: string, cause: unknown) {
    const message = `${what} needs the package @grpc/grpc-js: npm install @grpc/grpc-js`;
    super("ERR_GRPC_MISSING", message, { cause });
  }
}

/** A connection could not be made. */
export class GrpcConnectError extends GoplugError {
  override readonly name = "GrpcConnectError";

  constructor(message: string, cause?: unknown) {
    super("ERR_GRPC_CONNECT", message, { cause });
  }
}

/** How errors of other packages say what grpc-go reads off context.Canceled and context.DeadlineExceeded. */
const statusOfName: Readonly<Record<string, number>> = {
  AbortError: GrpcStatus.CANCELLED,
  AbortedError: GrpcStatus.CANCELLED,
  TimeoutError: GrpcStatus.DEADLINE_EXCEEDED,
  CallTimeoutError: GrpcStatus.DEADLINE_EXCEEDED,
};

/**
 * The status that a handler's error becomes: that of a {@link GrpcError}, and of anything with a gRPC status in a
 * numeric `code` (grpc-js's ServiceError and StatusObject, connect-es's ConnectError; not DOMException's, nor those of
 * `node:child_process`); CANCELLED and DEADLINE_EXCEEDED for signals and timeouts; else UNKNOWN with the error's message
 * (grpc-go, server.go: processUnaryRPC).
 */
export function statusOf(error: unknown, trailer?: MetadataLike): HandlerStatus {
  try {
    return readStatus(error, trailer);
  } catch {
    // A getter of the value's own threw.
    const details = "the handler threw a value that cannot be read";
    return { code: GrpcStatus.UNKNOWN, details, metadata: trailer };
  }
}

function readStatus(error: unknown, trailer: MetadataLike | undefined): HandlerStatus {
  const { code, details, rawMessage, metadata, name, message } = (error ?? {}) as Record<string, unknown>;
  const own = error instanceof GrpcError ? error.metadata : isMetadata(metadata) ? metadata : undefined;
  const told = (code: number, details: string): HandlerStatus => {
    try {
      return { code, details: wellFormed(details), metadata: bothOf(own, trailer) };
    } catch (unfit) {
      const text = `${details} (its metadata cannot be sent: ${thrownText(unfit)})`;
      return { code, details: wellFormed(text), metadata: trailer };
    }
  };
  if (error instanceof GrpcError) {
    // OK says that there is an answer, and there is none.
    const isOk = error.status === GrpcStatus.OK;
    return told(isOk ? GrpcStatus.UNKNOWN : error.status, error.details);
  }
  const text = [details, rawMessage, message].find((value) => typeof value === "string") as
    | string
    | undefined;
  const status =
    hasOtherCodes(error) || !isStatus(code) ? (statusOfName[String(name)] ?? GrpcStatus.UNKNOWN) : code;
  return told(status, text ?? thrownText(error));
}

/** Whether its numeric `code` is something else: DOMException's number of old, or how a program that was run ended. */
function hasOtherCodes(error: unknown): boolean {
  return error instanceof DOMException || (error instanceof Error && "cmd" in error);
}

/** Half of a surrogate pair has no UTF-8; grpc-js's transport would throw over it where nobody catches. */
function wellFormed(text: string): string {
  return Buffer.from(text).toString();
}

/** How a handler's call ends. */
export interface HandlerStatus {
  readonly code: number;
  readonly details: string;
  readonly metadata: MetadataLike | undefined;
}

function bothOf(own: MetadataInit | undefined, trailer: MetadataLike | undefined): MetadataLike | undefined {
  if (own === undefined) return trailer;
  const both = Metadata.from(own);
  if (trailer === undefined) return both;
  const all = both.clone();
  all.merge(trailer);
  return all;
}

function isStatus(code: unknown): code is number {
  return Number.isInteger(code) && (code as number) > 0 && (code as number) <= 16;
}
