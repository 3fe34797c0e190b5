import type { Http2Error } from "./errors.js";
import type { HeaderList } from "./hpack-decoder.js";
import type { Outgoing } from "./outgoing.js";
import { Stream, type StreamHost } from "./stream.js";
import type { StreamHandler } from "./stream-handler.js";
import type { Streams } from "./streams.js";

/** Begins a client's streams; those beyond what the server takes at once wait for their place, in order. */
export class PlaceQueue {
  readonly #host: StreamHost;
  readonly #streams: Streams;
  readonly #out: Outgoing;
  readonly #waiting = new Set<Stream>();

  constructor(host: StreamHost, streams: Streams, out: Outgoing) {
    this.#host = host;
    this.#streams = streams;
    this.#out = out;
  }

  open(headers: HeaderList, handler: StreamHandler): Stream {
    const stream = new Stream(this.#host);
    stream.prepare(headers, handler);
    if (this.#waiting.size === 0 && this.#hasPlace()) this.#start(stream);
    else this.#waiting.add(stream);
    return stream;
  }

  /** There may be places: those that wait take them. */
  serve(): void {
    for (const stream of this.#waiting) {
      if (!this.#hasPlace()) return;
      this.#waiting.delete(stream);
      this.#start(stream);
    }
  }

  /** One that waits is over. */
  forget(stream: Stream): void {
    this.#waiting.delete(stream);
  }

  /** There will be no further places. */
  abort(error: Http2Error): void {
    for (const stream of this.#waiting) stream.abort(error);
  }

  #hasPlace(): boolean {
    return this.#streams.size < this.#out.peer.maxConcurrentStreams;
  }

  #start(stream: Stream): void {
    const id = this.#streams.nextId;
    if (!stream.start(id, this.#out.peer.initialWindowSize)) return;
    this.#streams.lastId = id;
    if (stream.state !== "closed") this.#streams.add(stream);
  }
}
