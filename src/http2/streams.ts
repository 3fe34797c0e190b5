import { MAX_STREAM_ID } from "./frame.js";
import type { Stream } from "./stream.js";

/** How many streams that this side has reset are remembered, for their late frames. */
const REMEMBERED_RESETS = 4096;

/** A client begins no stream beyond this on a connection (grpc-go: MaxStreamID). */
const MAX_CLIENT_ID = Math.floor((MAX_STREAM_ID / 4) * 3);

/** The streams of a connection: those that are open, and what must be known of those that were. */
export class Streams implements Iterable<Stream> {
  readonly #open = new Map<number, Stream>();
  readonly #resets = new Set<number>();
  /** The one that was asked for last: a message is several frames, most often with no other's in between. */
  #latest: Stream | undefined;
  /** The highest number that was used. Only clients open streams: their numbers are odd (RFC 9113, section 5.1.1). */
  lastId = 0;
  /** The highest number that the connection was handed frames of. */
  #handedId = 0;

  /** How many are open. */
  get size(): number {
    return this.#open.size;
  }

  /** The number of a client's next stream. */
  get nextId(): number {
    return this.lastId + (this.lastId === 0 ? 1 : 2);
  }

  /** A client has few numbers left: it needs another connection. */
  get runOut(): boolean {
    return this.nextId > MAX_CLIENT_ID;
  }

  get(id: number): Stream | undefined {
    if (this.#latest?.id === id) return this.#latest;
    const stream = this.#open.get(id);
    this.#latest = stream;
    return stream;
  }

  add(stream: Stream): void {
    this.#open.set(stream.id, stream);
  }

  delete(id: number): void {
    this.#open.delete(id);
    if (this.#latest?.id === id) this.#latest = undefined;
  }

  /** Those that are open now. */
  [Symbol.iterator](): Iterator<Stream> {
    return [...this.#open.values()].values();
  }

  /** The stream is or was there. */
  wasOpened(id: number): boolean {
    return id % 2 === 1 && id <= this.lastId;
  }

  /** The connection was handed all frames that were queued. */
  handedOver(): void {
    this.#handedId = this.lastId;
  }

  /** Whether the server may know of a client's stream. */
  wasHandedOver(id: number): boolean {
    return id <= this.#handedId;
  }

  /** This side has reset the stream: frames that are on their way are no error. */
  rememberReset(id: number): void {
    this.#resets.add(id);
    if (this.#resets.size > REMEMBERED_RESETS) this.#resets.delete(this.#resets.values().next().value!);
  }

  /** Whether this side has reset the stream, not long ago. */
  wasReset(id: number): boolean {
    return this.#resets.has(id);
  }
}
