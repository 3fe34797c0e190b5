import type * as grpcJsPackage from "@grpc/grpc-js";
import { GrpcMissingError } from "./errors.js";

/** The package grpc-js, an optional peer. */
export type GrpcJs = typeof grpcJsPackage;

/** What needs the package, for messages. */
export const needs = {
  transport: 'grpcTransport: "grpc-js"',
  service: "server.addService",
  interceptors: "an interceptor",
} as const;

let onLoaded: (grpcJs: GrpcJs) => void = () => {};

/** Has the package set up when goplug loads it. */
export function whenGrpcJsLoads(setUp: (grpcJs: GrpcJs) => void): void {
  onLoaded = setUp;
}

/**
 * Loads grpc-js, which goplug does without as long as nobody uses its API. This is the only import of it, so that a
 * plugin that was bundled into one file starts without the package.
 * @throws GrpcMissingError
 */
export async function loadGrpcJs(what: string): Promise<GrpcJs> {
  let grpcJs: GrpcJs;
  try {
    grpcJs = await import("@grpc/grpc-js");
  } catch (error) {
    throw explained(error, what);
  }
  onLoaded(grpcJs);
  return grpcJs;
}

/** Why grpc-js could not be loaded: if the package is missing, with what to do. */
export function explained(error: unknown, what: string): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  const isMissing = code === "ERR_MODULE_NOT_FOUND" || code === "MODULE_NOT_FOUND";
  return isMissing && message.includes("@grpc/grpc-js") ? new GrpcMissingError(what, error) : error;
}
