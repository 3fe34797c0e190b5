import type { Http2Error } from "./errors.js";
import type { HeaderList } from "./hpack-decoder.js";

/** What a stream tells the one who uses it. Callbacks run while input is parsed; one that throws loses its stream. */
export interface StreamHandler {
  /** A server's stream has its handler: it may be answered. Before anything else. */
  onAttached?(): void;
  /** Header fields; `end` with those that end the peer's direction. Informational responses are left out. */
  onHeaders(headers: HeaderList, end: boolean): void;
  /** Bytes of the body; valid during the call only, unless `mayKeep`. Give back what was taken with `consumed`. */
  onData(chunk: Buffer, mayKeep: boolean): void;
  /** The peer's direction ended without trailers. */
  onEnd(): void;
  /** Once and last: the stream is over. `error` is set unless both directions ended cleanly. */
  onClose(error: Http2Error | undefined): void;
  /** `write` may go on after it returned false. */
  onDrain?(): void;
}
