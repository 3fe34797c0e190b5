import type { CallCredentials } from "@grpc/grpc-js";
import type { MetadataLike } from "../metadata.js";
import { MessageError } from "./compression.js";
import { Code } from "./status.js";

/**
 * What call credentials say, for a method of a service at an authority.
 * @throws MessageError - the status with which the call ends
 */
export async function credentialsMetadata(
  credentials: CallCredentials,
  origin: string,
  path: string,
): Promise<MetadataLike> {
  const slash = path.lastIndexOf("/");
  try {
    return await credentials.generateMetadata({
      service_url: `${origin}${path.slice(0, slash)}`,
      method_name: path.slice(slash + 1),
    } as Parameters<CallCredentials["generateMetadata"]>[0]);
  } catch (error) {
    const { code, message } = error as { code?: unknown; message: string };
    throw new MessageError(
      typeof code === "number" ? code : Code.UNKNOWN,
      `Getting metadata from plugin failed with error: ${message}`,
    );
  }
}
