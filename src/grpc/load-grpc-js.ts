import { GrpcMissingError } from "./errors.js";

/** The package grpc-js, an optional peer. */
export type GrpcJs = typeof import("@grpc/grpc-js");

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
 * Loads grpc-js, which goplug does without as long as nobody uses its API.
 * @throws GrpcMissingError
 */
export async function loadGrpcJs(what: string): Promise<GrpcJs> {
  const grpcJs = await explained(what, () => import("@grpc/grpc-js"));
  onLoaded(grpcJs);
  return grpcJs;
}

/**
 * Loads a module that imports grpc-js, and says what to do where the package is missing.
 * @throws GrpcMissingError
 */
export async function explained<T>(what: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const isMissing = code === "ERR_MODULE_NOT_FOUND" || code === "MODULE_NOT_FOUND";
    if (!isMissing || !message.includes("@grpc/grpc-js")) throw error;
    throw new GrpcMissingError(what, error);
  }
}
