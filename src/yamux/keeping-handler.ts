import type { ChannelHandler } from "./channel.js";

/** A handler of this package's own: it is told whether it may keep a chunk without copying. */
export interface KeepingHandler extends ChannelHandler {
  onData(chunk: Buffer, mayKeep?: boolean): void;
  /** Memory for the next bytes, as much of it as `expected` bytes need; they come to onData as part of it. */
  room?(expected: number): Buffer | undefined;
  /** Chunks that are parts of larger blocks of memory may be kept, too: they go to somebody who would copy them else. */
  readonly takesParts?: boolean;
  /** Nothing more will be sent, whatever was written; bytes may still be on their way to onData, and then onClose. */
  onWriteEnd?(error: Error): void;
}

// A chunk keeps all of its memory alive: it must be at least this part of it to be kept.
const KEPT_PART = 1 / 2;
const SMALL_KEPT_PART = 1 / 8;

/** Whether a handler may keep a chunk whose memory is not used again. */
export function mayKeepChunk(handler: KeepingHandler, chunk: Buffer): boolean {
  const least = handler.takesParts === true ? SMALL_KEPT_PART : KEPT_PART;
  return chunk.length >= chunk.buffer.byteLength * least;
}
