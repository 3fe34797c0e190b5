import { GoplugError } from "../errors.js";

/**
 * Runs an import of what needs grpc-js, an optional peer dependency, and says what to do where it is missing.
 * @throws GoplugError ERR_GRPC_MISSING
 */
export async function loadGrpc<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== "ERR_MODULE_NOT_FOUND" || !message.includes("@grpc/grpc-js")) throw error;
    throw new GoplugError("ERR_GRPC_MISSING", "gRPC plugins need the package @grpc/grpc-js: npm install it", {
      cause: error,
    });
  }
}
