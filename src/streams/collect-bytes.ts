import type { Readable } from "node:stream";
import { readable } from "../options.js";
import { limited } from "../wait.js";
import { letGo } from "./let-go.js";
import { limitError, type ReadLimits } from "./remote-reader.js";

/**
 * Everything up to a stream's end: Go's io.ReadAll. The other direction of a Duplex stays open. Where a limit comes
 * first the stream is destroyed.
 *
 * @throws the stream's error; StreamError ERR_STREAM_LIMIT; AbortedError, TimeoutError
 */
export async function collectBytes(
  stream: Readable,
  { limit = Infinity, ...wait }: ReadLimits = {},
): Promise<Buffer> {
  readable("stream", stream as never);
  return limited({ ...wait, what: "reading to the end" }, async (signal) => {
    const onAbort = (): void => letGo(stream, signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    try {
      const chunks: Buffer[] = [];
      let length = 0;
      for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
        length += (chunk as Buffer).length;
        if (length > limit) throw limitError(limit);
        chunks.push(chunk as Buffer);
      }
      return Buffer.concat(chunks, length);
    } catch (error) {
      letGo(stream, error);
      throw error;
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  });
}
