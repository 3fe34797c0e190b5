import type { Duplex } from "node:stream";

/** What a channel tells the one who uses it. A handler that throws loses its channel: it is reset. */
export interface ChannelHandler {
  /** Bytes from the peer, in order. The chunk is valid DURING the call only: copy what is kept. */
  onData(chunk: Buffer): void;
  /** The peer ended its direction; all its bytes were delivered before. */
  onEnd(): void;
  /** Once and last: both directions are over. `error` is set unless both sides ended cleanly. */
  onClose(error?: Error): void;
  /** write() may go on after it returned false. */
  onDrain?(): void;
}

/** Where a stream stands; Go's states (stream.go), and `closing`: end() was called, but bytes still wait for window. */
export type StreamState =
  | "synSent"
  | "synReceived"
  | "established"
  | "closing"
  | "localClosed"
  | "remoteClosed"
  | "closed"
  | "reset";

/**
 * A yamux stream without the cost of a Node stream: callbacks instead of events, no buffer but the flow-control window.
 *
 * Callbacks run while input is parsed; onClose and onEnd that follow from a call on the channel itself (`destroy`,
 * `end`, `attach`) run in a microtask, never inside that call. `resume` delivers what was held back before it returns.
 */
export interface Channel {
  /** The stream's number, the same on both sides: odd where the client opened it, even where the server did. */
  readonly id: number;
  /** Where the stream stands. */
  readonly state: StreamState;
  /** Bytes that have arrived and that no handler has consumed. */
  readonly unread: number;
  /** Whether bytes that were given to write() wait for the peer to open its window. */
  readonly isBlocked: boolean;
  /**
   * Sets the handler, and starts delivery. Bytes that came before it was there are delivered first, in a microtask.
   *
   * A second call replaces the handler. The new one gets every byte that the old one did not get, and onEnd and onClose
   * if the stream has come so far, even if the old one had been told.
   */
  attach(handler: ChannelHandler): void;
  /**
   * Gives bytes back, to be delivered again before all others: for a handler that took more than its part. They count
   * as unread again. Delivery pauses until `attach` or `resume`.
   */
  unshift(chunk: Uint8Array): void;
  /**
   * Sends bytes. The chunk may be kept by reference: do not change it afterwards. False means: wait for onDrain (more
   * may be written, and is queued).
   * @throws YamuxError ERR_YAMUX_STREAM_CLOSED after end() or destroy(), ERR_YAMUX_CONNECTION_RESET after the peer's
   * reset, ERR_YAMUX_SESSION_SHUTDOWN after the session's end
   */
  write(chunk: Uint8Array): boolean;
  /** Ends this direction once all written bytes are sent; reading goes on. A second call does nothing. */
  end(): void;
  /** Resets the stream: both directions end at once, unread and unsent bytes are dropped. onClose gets `error`. */
  destroy(error?: Error): void;
  /** Nothing is delivered, and the window does not reopen, until resume(). */
  pause(): void;
  /** Ends a pause; what was held back is delivered before it returns. */
  resume(): void;
  /** Hands the stream over to a new Node Duplex (a Stream). */
  toDuplex(): Duplex;
}
