import { type Duplex, Readable } from "node:stream";
import { duplex } from "../options.js";
import { onceCut, type WaitOptions } from "../wait.js";
import { StreamError } from "./errors.js";
import { putRequest } from "./requests.js";

/** How much is asked for at once, and how much may be asked for and not read. */
const REQUEST = 65_536;

/** Limits of reading bytes from the other side. */
export interface ReadLimits extends WaitOptions {
  /** The most bytes that are taken; more is a StreamError, ERR_STREAM_LIMIT. Default: no limit. */
  readonly limit?: number | undefined;
}

/**
 * Reads a stream whose other side waits to be asked for bytes: Mattermost's connectIOReader
 * (server/public/plugin/io_rpc.go). Asks only for what is read here, 64 KiB at a time. Destroying the reader closes the
 * stream, as does its end.
 *
 * Errors: the stream's; StreamError ERR_STREAM_LIMIT; AbortedError and TimeoutError for the limits of the whole.
 */
export function remoteReader(stream: Duplex, limits: ReadLimits = {}): Readable {
  duplex("stream", stream as never);
  return new RemoteReader(stream, limits);
}

class RemoteReader extends Readable {
  readonly #stream: Duplex;
  readonly #limit: number;
  readonly #release: () => void;
  #outstanding = 0;
  #taken = 0;

  constructor(stream: Duplex, { limit = Infinity, ...wait }: ReadLimits) {
    super({ highWaterMark: REQUEST });
    this.#stream = stream;
    this.#limit = limit;
    // As of all streams that goplug hands out: what the other side does ends no process for want of a listener.
    this.on("error", () => {});
    const onEnd = (): void => {
      this.push(null);
      stream.end();
    };
    const onClose = (): void => {
      if (!stream.readableEnded)
        this.destroy(new StreamError("ERR_STREAM_CLOSED", "the stream was closed before its end"));
    };
    if (stream.readableEnded) onEnd();
    else if (stream.destroyed) onClose();
    stream
      .on("data", (chunk: Buffer) => this.#take(chunk))
      .on("end", onEnd)
      .on("close", onClose);
    stream.on("error", (error) => this.destroy(error));
    this.#release = onceCut({ ...wait, what: "reading from the other side", keepAlive: false }, (error) =>
      this.destroy(error),
    );
  }

  override _read(): void {
    this.#stream.resume();
    if (this.#outstanding >= REQUEST || !this.#stream.writable) return;
    this.#outstanding += REQUEST;
    this.#stream.write(putRequest(REQUEST));
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#release?.();
    this.#stream.destroy();
    callback(error);
  }

  #take(chunk: Buffer): void {
    this.#outstanding -= chunk.length;
    this.#taken += chunk.length;
    if (this.#taken > this.#limit) {
      this.destroy(limitError(this.#limit));
      return;
    }
    // A peer that sends without being asked is held back like any other.
    if (!this.push(chunk)) this.#stream.pause();
  }
}

export function limitError(limit: number): StreamError {
  return new StreamError("ERR_STREAM_LIMIT", `more than ${limit} bytes came`);
}
