import type { ServiceError } from "@grpc/grpc-js";
import { GoplugError } from "../errors.js";

/** A call of goplug's own (ping, shutdown) ended with a gRPC status other than OK. */
export class GrpcError extends GoplugError {
  override readonly name = "GrpcError";
  /** gRPC's status code, such as 14 for UNAVAILABLE. */
  readonly status: number;
  /** What the other side said. */
  readonly details: string;

  constructor(what: string, error: Pick<ServiceError, "code" | "details">, cause: unknown = error) {
    super("ERR_GRPC_STATUS", `${what}: ${error.details} (gRPC status ${error.code})`, { cause });
    this.status = error.code;
    this.details = error.details;
  }
}

/** A connection could not be made. */
export class GrpcConnectError extends GoplugError {
  override readonly name = "GrpcConnectError";

  constructor(message: string, cause?: unknown) {
    super("ERR_GRPC_CONNECT", message, { cause });
  }
}
