import { GoplugError } from "../errors.js";

/** A gRPC plugin is used, and the package `@grpc/grpc-js` is not installed. */
export class GrpcMissingError extends GoplugError {
  override readonly name = "GrpcMissingError";

  constructor(cause: unknown) {
    super("ERR_GRPC_MISSING", "gRPC plugins need the package @grpc/grpc-js: npm install @grpc/grpc-js", {
      cause,
    });
  }
}

/**
 * Runs an import of what needs grpc-js, an optional peer dependency, and says what to do where it is missing.
 * @throws GrpcMissingError
 */
export async function loadGrpc<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== "ERR_MODULE_NOT_FOUND" || !message.includes("@grpc/grpc-js")) throw error;
    throw new GrpcMissingError(error);
  }
}
