import { Duplex } from "node:stream";
import type { StreamState } from "./channel.js";
import { YamuxError } from "./errors.js";
import type { MuxChannel } from "./mux-channel.js";
import { COPY_LIMIT } from "./writer.js";

const HIGH_WATER_MARK = 65_536;

/**
 * A yamux stream as a Node Duplex that may be half open: `end()` sends FIN and reading goes on, `destroy()` resets the
 * stream unless both sides have ended it. What was read reopens the window, and `write` waits for the peer's.
 *
 * Errors: YamuxError ERR_YAMUX_CONNECTION_RESET (the peer reset the stream), ERR_YAMUX_SESSION_SHUTDOWN (the session
 * ended; its `cause` says why, and bytes received before can still be read), ERR_YAMUX_STREAM_CLOSE_TIMEOUT,
 * ERR_YAMUX_CONNECTION_WRITE_TIMEOUT.
 */
export class Stream extends Duplex {
  readonly #channel: MuxChannel;
  readonly #afterFlush: (callback: () => void) => void;
  #pendingWrite: ((error?: Error | null) => void) | undefined;
  #largestWrite = 0;
  #endPushed = false;
  // The session ended while there was something left to read: the error follows after that.
  #deferred: Error | undefined;

  /** @internal Streams come from a session, or from a channel's toDuplex(). */
  constructor(channel: MuxChannel, afterFlush: (callback: () => void) => void) {
    super({
      allowHalfOpen: true,
      readableHighWaterMark: HIGH_WATER_MARK,
      writableHighWaterMark: HIGH_WATER_MARK,
    });
    this.#channel = channel;
    this.#afterFlush = afterFlush;
    channel.attach({
      onData: (chunk, mayKeep) => this.#receive(chunk, mayKeep === true),
      onEnd: () => {
        this.#endPushed = true;
        this.push(null);
      },
      onClose: (error) => this.#closed(error),
      onDrain: () => this.#passedOn(),
    });
  }

  /** The stream's number on the wire: odd when the session's client opened it. */
  get id(): number {
    return this.#channel.id;
  }

  /** Where the stream stands in the protocol. */
  get state(): StreamState {
    return this.#channel.state;
  }

  // The window reopens for what the reader took. Not in _read(), which Node calls before it takes the chunk out, and
  // then not again until more arrives: with the window used up, that would be never.
  override read(size?: number): unknown {
    const chunk: unknown = super.read(size);
    const left = this.readableLength;
    this.#channel.held = left;
    // Nothing left, or not as much as was asked for.
    if (left === 0 || (chunk === null && size !== 0)) this.#channel.resume();
    this.#channel.updateWindow();
    if (this.#deferred !== undefined && this.readableLength === 0 && !this.#endPushed)
      this.destroy(this.#deferred);
    return chunk;
  }

  override _read(): void {
    // While nobody takes what is here, more waits in the channel, which packs it closely.
    if (this.readableFlowing === true || this.readableLength === 0) this.#channel.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#write([chunk], callback);
  }

  override _writev(
    chunks: { chunk: Buffer; encoding: BufferEncoding }[],
    callback: (error?: Error | null) => void,
  ): void {
    this.#write(
      chunks.map(({ chunk }) => chunk),
      callback,
    );
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#channel.end();
    callback();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#channel.destroy(error ?? undefined);
    this.#writeDone(error ?? new YamuxError("ERR_YAMUX_STREAM_CLOSED"));
    callback(error);
  }

  #receive(chunk: Buffer, mayKeep: boolean): void {
    const flowing = this.readableFlowing === true;
    const more = this.push(mayKeep ? chunk : Buffer.from(chunk));
    this.#channel.held = this.readableLength;
    if (!more || (!flowing && this.readableLength > 0)) this.#channel.pause();
  }

  #write(chunks: readonly Buffer[], callback: (error?: Error | null) => void): void {
    let open = true;
    this.#largestWrite = 0;
    try {
      for (const chunk of chunks) {
        open = this.#channel.write(chunk);
        this.#largestWrite = Math.max(this.#largestWrite, chunk.length);
      }
    } catch (error) {
      callback(error as Error);
      return;
    }
    this.#pendingWrite = callback;
    if (open) this.#passedOn();
  }

  // Whoever wrote may use its memory again at once if the frames hold copies, else when the connection is through.
  #passedOn(): void {
    if (this.#pendingWrite === undefined) return;
    if (this.#largestWrite <= COPY_LIMIT) this.#writeDone();
    else this.#afterFlush(() => this.#writeDone());
  }

  #writeDone(error?: Error): void {
    const callback = this.#pendingWrite;
    this.#pendingWrite = undefined;
    callback?.(error);
  }

  #closed(error: Error | undefined): void {
    if (error === undefined || this.destroyed) return;
    const shutdown = error instanceof YamuxError && error.code === "ERR_YAMUX_SESSION_SHUTDOWN";
    const endDue = this.#endPushed && !this.readableEnded;
    if (!shutdown || this.#pendingWrite !== undefined || (this.readableLength === 0 && !endDue)) {
      this.destroy(error);
      return;
    }
    this.#deferred = error;
    if (endDue) this.once("end", () => this.destroy(error));
  }
}
