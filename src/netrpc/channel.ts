import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { duplex } from "../options.js";

/** What a {@link ByteChannel} tells its user. */
export interface ByteChannelHandler {
  /** Bytes from the peer, in order; the chunk is only valid during the call, unless `mayKeep` is true. */
  onData(chunk: Buffer, mayKeep?: boolean): void;
  /** Memory where the next bytes may be put: as much of it as `expected` bytes need. They come to onData as part of it. */
  room?(expected: number): Buffer | undefined;
  /** The peer half-closed; all its bytes were delivered before. */
  onEnd(): void;
  /** Both directions are over; called once, last. `error` is absent after a clean end. */
  onClose(error?: Error): void;
  /** `write` may go on after it returned false. */
  onDrain?(): void;
}

/**
 * A two-way stream of bytes with callbacks instead of Node stream events: what net/rpc needs of a connection, without
 * a Duplex's cost per chunk. A yamux channel is one as it is; {@link duplexChannel} makes one of any Duplex.
 */
export interface ByteChannel {
  /** Starts delivery to the handler; called once. */
  attach(handler: ByteChannelHandler): void;
  /**
   * May keep `chunk` by reference until it is sent. Returns false when the caller should wait for `onDrain`. A channel
   * that can tell calls `free` once nothing refers to the chunk's memory any more; others never do.
   */
  write(chunk: Uint8Array, free?: () => void): boolean;
  /** Half-closes: no more writes, reading goes on. */
  end(): void;
  /** Ends both directions at once; unread and unsent bytes are dropped. `onClose` gets `error`. */
  destroy(error?: Error): void;
  /** Nothing is delivered until {@link resume}, and the peer is slowed down. */
  pause(): void;
  /** Delivery goes on. */
  resume(): void;
}

/** Makes a {@link ByteChannel} of a Duplex (a socket, a TLS socket, one end of an in-memory pair). */
export function duplexChannel(stream: Duplex): ByteChannel {
  let error: Error | undefined;
  return {
    attach(handler) {
      stream.on("error", (reason) => {
        error ??= reason;
      });
      stream.on("data", (chunk: Buffer) => handler.onData(chunk, true));
      stream.on("end", () => handler.onEnd());
      stream.on("drain", () => handler.onDrain?.());
      stream.on("close", () => handler.onClose(error));
      if (stream.destroyed) queueMicrotask(() => handler.onClose(stream.errored ?? undefined));
    },
    // Another Duplex may pass the chunk on by reference, and its callback say nothing of that.
    write: (chunk, free) =>
      stream instanceof Socket && free !== undefined
        ? stream.write(chunk, (failure) => failure ?? free())
        : stream.write(chunk),
    end: () => void stream.end(),
    destroy: (reason) => void stream.destroy(reason),
    pause: () => void stream.pause(),
    resume: () => void stream.resume(),
  };
}

/** Accepts either form of connection. @throws OptionError */
export function asByteChannel(connection: ByteChannel | Duplex): ByteChannel {
  if (typeof (connection as Partial<ByteChannel> | undefined)?.attach === "function")
    return connection as ByteChannel;
  duplex("connection", connection as never);
  return duplexChannel(connection as Duplex);
}
