import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";

/** What a {@link Connection} tells the session. */
export interface ConnectionHandler {
  /** Bytes from the peer, in order; valid during the call only, unless `mayKeep`. */
  onData(chunk: Buffer, mayKeep: boolean): void;
  /** The peer sends no more. */
  onEnd(): void;
  /** Once and last: both directions are over. */
  onClose(error?: Error): void;
}

/** What a session speaks over: an ordered stream of bytes in both directions. */
export interface Connection {
  /** Whether chunks may be written to again once they were taken: not if they go to somebody else by reference. */
  readonly copies: boolean;
  attach(handler: ConnectionHandler): void;
  /**
   * Sends the chunks, in order; `taken` is called when there is room for more, not after the connection's end. False where it
   * is certain that nothing of them has gone, nor will: the connection has ended, and its end is about to be told.
   */
  write(chunks: readonly Uint8Array[], taken: () => void): boolean;
  pause(): void;
  resume(): void;
  /** Sends no more; what was written still goes out. */
  end(): void;
  destroy(): void;
}

/**
 * Speaks over a socket (unix, TCP, TLS), or any other Duplex.
 *
 * @param readInPlace for a socket that is read through `onread` of net.connect, and not by `data` events: calls back with
 * chunks that are overwritten after each call
 */
export function duplexConnection(
  stream: Duplex,
  readInPlace?: (take: (chunk: Buffer) => void) => void,
): Connection {
  let failure: Error | undefined;
  // TLS may have sent a part of what fails.
  const isPlain = stream instanceof Socket && !(stream as Partial<TLSSocket>).encrypted;
  return {
    // A socket has copied the bytes out when it calls back.
    copies: stream instanceof Socket,
    attach(handler) {
      stream.on("error", (error) => {
        failure ??= error;
      });
      if (readInPlace === undefined) stream.on("data", (chunk: Buffer) => handler.onData(chunk, true));
      else readInPlace((chunk) => handler.onData(chunk, false));
      stream.on("end", () => handler.onEnd());
      stream.on("close", () => handler.onClose(failure));
      if (stream.destroyed) queueMicrotask(() => handler.onClose(stream.errored ?? undefined));
    },
    write(chunks, taken) {
      const last = chunks.length - 1;
      if (last > 0) stream.cork();
      for (let i = 0; i < last; i++) stream.write(chunks[i]!);
      stream.write(chunks[last]!, (error) => {
        // The connection reports its end by itself.
        if (!error) taken();
      });
      if (last > 0) stream.uncork();
      // Node asks the system at once, and in one piece: an error that is there by now says that it has taken nothing.
      return !isPlain || (stream.errored === null && !stream.destroyed);
    },
    pause: () => void stream.pause(),
    resume: () => void stream.resume(),
    end: () => void stream.end(),
    destroy: () => void stream.destroy(),
  };
}

/** A stream of bytes with callbacks instead of events, such as a yamux channel. */
export interface Channel {
  attach(handler: {
    onData(chunk: Buffer, mayKeep?: boolean): void;
    onEnd(): void;
    onClose(error?: Error): void;
    onDrain(): void;
  }): void;
  /** Keeps the chunk by reference until it is sent; false asks to wait for onDrain. */
  write(chunk: Uint8Array): boolean;
  end(): void;
  destroy(error?: Error): void;
  pause(): void;
  resume(): void;
}

/** Speaks over a channel, without the cost of a Node stream. */
export function channelConnection(channel: Channel): Connection {
  const waiting: (() => void)[] = [];
  let over = false;
  return {
    copies: false,
    attach(handler) {
      channel.attach({
        onData: (chunk, mayKeep = false) => handler.onData(chunk, mayKeep),
        onEnd: () => handler.onEnd(),
        onClose(error) {
          over = true;
          handler.onClose(error);
        },
        onDrain() {
          for (const taken of waiting.splice(0)) taken();
        },
      });
    },
    write(chunks, taken) {
      // onClose is on its way; a channel throws.
      if (over) return false;
      let goOn = true;
      let went = false;
      try {
        for (const chunk of chunks) {
          goOn = channel.write(chunk);
          went = true;
        }
      } catch {
        over = true;
        return went;
      }
      if (goOn) queueMicrotask(taken);
      else waiting.push(taken);
      return true;
    },
    pause: () => channel.pause(),
    resume: () => channel.resume(),
    end: () => channel.end(),
    destroy: () => channel.destroy(),
  };
}
