import { builtin } from "../../builtin.js";
import { Code } from "./status.js";

/** What a peer may compress messages with. */
export const ACCEPTED_ENCODINGS = "identity,deflate,gzip";

/** A message that cannot be taken or sent: the status with which its call ends. */
export class MessageError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export type Encoding = "identity" | "deflate" | "gzip";

function isEncoding(name: string): name is Encoding {
  return name === "identity" || name === "deflate" || name === "gzip";
}

export function compress(message: Uint8Array, encoding: Encoding): Uint8Array {
  if (encoding === "gzip") return builtin.zlib.gzipSync(message);
  return encoding === "deflate" ? builtin.zlib.deflateSync(message) : message;
}

/**
 * Unpacks a message, no further than to `limit` bytes.
 * @throws MessageError
 */
export function decompress(message: Buffer, encoding: string | undefined, limit: number): Buffer {
  if (encoding === undefined || encoding === "identity") {
    throw new MessageError(Code.INTERNAL, "grpc: compressed flag set with identity or empty encoding");
  }
  if (!isEncoding(encoding)) {
    const text = `Received message compressed with unsupported encoding "${encoding}"`;
    throw new MessageError(Code.UNIMPLEMENTED, text);
  }
  const options = limit < 0x7fff_ffff ? { maxOutputLength: Math.max(1, limit) } : {};
  try {
    return encoding === "gzip"
      ? builtin.zlib.gunzipSync(message, options)
      : builtin.zlib.inflateSync(message, options);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") {
      throw tooLarge("Received message that decompresses to a size larger than max", undefined, limit);
    }
    throw new MessageError(
      Code.INTERNAL,
      `grpc: failed to decompress the message: ${(error as Error).message}`,
    );
  }
}

export function tooLarge(what: string, size: number | undefined, limit: number): MessageError {
  return new MessageError(Code.RESOURCE_EXHAUSTED, `${what} (${size ?? "more"} vs. ${limit})`);
}
