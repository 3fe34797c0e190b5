import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import { duplex } from "../options.js";
import { type WaitOptions, waitFor } from "../wait.js";
import { type ByteSource, chunksOf } from "./byte-source.js";

/**
 * Copies a source to a stream and ends that direction: Go's `io.Copy(conn, source)` with `conn.Close()`. No faster than
 * the other side takes it. What the other side sends is left to be read.
 *
 * Resolves with the number of bytes once they are passed on. Where the source fails, or a limit comes first, the stream
 * is reset, so that the other side does not take a part for the whole.
 *
 * @throws OptionError, what the source throws, or the stream's error; AbortedError, TimeoutError
 */
export async function sendBytes(stream: Duplex, source: ByteSource, wait: WaitOptions = {}): Promise<number> {
  duplex("stream", stream as never);
  return waitFor<number>({ ...wait, what: "sending bytes" }, (resolve, reject) => {
    const abort = new AbortController();
    let sent = 0;
    const counted = async function* (): AsyncGenerator<Buffer> {
      for await (const chunk of chunksOf(source)) {
        sent += chunk.length;
        yield chunk;
      }
    };
    pipeline(counted, stream, { signal: abort.signal }).then(() => resolve(sent), reject);
    // The wait does not depend on a source that gives no answer.
    return (cut) => abort.abort(cut);
  });
}
