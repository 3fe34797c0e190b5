import { ErrorCode } from "./errors.js";
import { MAX_STREAM_ID, RST_STREAM } from "./frame.js";
import type { HeaderList } from "./hpack-decoder.js";
import type { Outgoing } from "./outgoing.js";
import { Stream, type StreamHost } from "./stream.js";
import type { StreamHandler } from "./stream-handler.js";
import type { Streams } from "./streams.js";

/** Takes a client's request: the stream's handler. It may answer at once. */
export type OnStream = (stream: Stream, headers: HeaderList, end: boolean) => StreamHandler;

/** Takes a server's streams, and gives each its handler. */
export class Intake {
  readonly #host: StreamHost;
  readonly #streams: Streams;
  readonly #out: Outgoing;
  readonly #onStream: OnStream;
  readonly #maxConcurrent: number;
  #upTo = MAX_STREAM_ID;

  /** @param maxConcurrent streams that may be open at once */
  constructor(host: StreamHost, streams: Streams, out: Outgoing, onStream: OnStream, maxConcurrent: number) {
    this.#host = host;
    this.#streams = streams;
    this.#out = out;
    this.#onStream = onStream;
    this.#maxConcurrent = maxConcurrent;
  }

  /** Takes none beyond those that are there; returns the last of them. */
  close(): number {
    this.#upTo = this.#streams.lastId;
    return this.#upTo;
  }

  /** A request begins; undefined if it was refused. */
  accept(id: number): Stream | undefined {
    const streams = this.#streams;
    streams.lastId = id;
    // What this side has said not to process is ignored.
    if (id > this.#upTo) return undefined;
    if (streams.size >= this.#maxConcurrent) {
      streams.rememberReset(id);
      this.#out.writer.answers++;
      this.#out.writer.number(RST_STREAM, id, ErrorCode.REFUSED_STREAM);
      return undefined;
    }
    const stream = new Stream(this.#host);
    stream.begun = true;
    stream.accept(id, this.#out.peer.initialWindowSize);
    streams.add(stream);
    return stream;
  }

  /** Its header fields have come, and are well-formed. */
  request(stream: Stream, headers: HeaderList, end: boolean): void {
    let handler: StreamHandler;
    try {
      handler = this.#onStream(stream, headers, end);
    } catch {
      stream.fail(ErrorCode.INTERNAL_ERROR, "the handler of requests threw");
      return;
    }
    stream.attach(handler);
    if (end) stream.takeEnd();
  }
}
