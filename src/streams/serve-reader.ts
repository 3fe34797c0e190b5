import type { Duplex } from "node:stream";
import { duplex } from "../options.js";
import { limited, type WaitOptions } from "../wait.js";
import { type ByteSource, chunksOf } from "./byte-source.js";
import { StreamError } from "./errors.js";
import { letGo } from "./let-go.js";
import { RequestReader } from "./requests.js";

/**
 * Serves a source to a peer that asks for its bytes: Mattermost's serveIOReader (server/public/plugin/io_rpc.go). Each
 * request is a varint n, and answered with the next n bytes; the stream's end is the source's. The source is read when
 * it is asked for, and let go of when the peer wants no more.
 *
 * Resolves with the number of bytes sent, when the source or the peer has come to its end. Where the source fails, or a
 * limit comes first, the stream is reset: in Go the peer would take what it has for the whole.
 *
 * @throws what the source throws, or the stream's error; StreamError ERR_STREAM_BAD_REQUEST; AbortedError, TimeoutError
 */
export async function serveReader(
  stream: Duplex,
  source: ByteSource,
  wait: WaitOptions = {},
): Promise<number> {
  duplex("stream", stream as never);
  return limited({ ...wait, what: "serving a reader" }, (signal) => new Served(stream, source).run(signal));
}

class Served {
  readonly #stream: Duplex;
  readonly #chunks: AsyncGenerator<Buffer, void, undefined>;
  readonly #requests = new RequestReader();
  /** Bytes that were asked for and not sent yet. */
  #asked = 0;
  #peerEnded = false;
  #error: unknown;
  /** Continues the loop that waits for a request, for room, or for the end. */
  #wake = (): void => {};

  constructor(stream: Duplex, source: ByteSource) {
    this.#stream = stream;
    this.#chunks = chunksOf(source);
  }

  async run(signal: AbortSignal): Promise<number> {
    const stream = this.#stream;
    const onAbort = (): void => this.#fail(signal.reason);
    const onRequests = (chunk: Buffer): void => this.#take(chunk);
    const onEnd = (): void => {
      this.#peerEnded = true;
      this.#wake();
    };
    const onError = (error: Error): void => this.#fail(error);
    const onClose = (): void => this.#fail(new StreamError("ERR_STREAM_CLOSED", "the stream was closed"));
    const onDrain = (): void => this.#wake();
    stream
      .on("data", onRequests)
      .on("end", onEnd)
      .on("error", onError)
      .on("close", onClose)
      .on("drain", onDrain);
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    if (stream.readableEnded) onEnd();
    else if (stream.destroyed) onClose();
    try {
      const sent = await this.#send();
      stream.end();
      // Requests that crossed the end, and the peer's own end.
      stream.resume();
      return sent;
    } catch (error) {
      letGo(stream, error);
      throw error;
    } finally {
      stream.off("data", onRequests).off("end", onEnd).off("error", onError).off("close", onClose);
      stream.off("drain", onDrain);
      signal.removeEventListener("abort", onAbort);
      // Not waited for: a source that never answers must not hold up the end.
      this.#chunks.return().catch(() => {});
    }
  }

  async #send(): Promise<number> {
    let sent = 0;
    let chunk: Buffer | undefined;
    for (;;) {
      await this.#until(() => this.#asked > 0 || this.#peerEnded);
      if (this.#peerEnded && this.#asked === 0) return sent;
      chunk ??= await this.#next();
      if (chunk === undefined) return sent;
      const part = chunk.subarray(0, this.#asked);
      chunk = part.length < chunk.length ? chunk.subarray(part.length) : undefined;
      this.#asked -= part.length;
      sent += part.length;
      if (!this.#stream.write(part)) await this.#until(() => !this.#stream.writableNeedDrain);
    }
  }

  /** The source's next chunk, unless the stream fails before it comes. */
  async #next(): Promise<Buffer | undefined> {
    let result: IteratorResult<Buffer, void> | undefined;
    this.#chunks.next().then(
      (next) => {
        result = next;
        this.#wake();
      },
      (error: unknown) => this.#fail(error),
    );
    await this.#until(() => result !== undefined);
    return result!.value ?? undefined;
  }

  async #until(condition: () => boolean): Promise<void> {
    while (this.#error === undefined && !condition()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#error !== undefined) throw this.#error;
  }

  #take(chunk: Buffer): void {
    try {
      this.#asked += this.#requests.push(chunk);
      this.#wake();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#error ??= error ?? new StreamError("ERR_STREAM_CLOSED", "the source failed without an error");
    this.#wake();
  }
}
