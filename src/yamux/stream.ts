import { Duplex } from "node:stream";
import { startTimer } from "../wait.js";
import type { StreamState } from "./channel.js";
import { INITIAL_WINDOW } from "./config.js";
import { YamuxError } from "./errors.js";
import type { MuxChannel } from "./mux-channel.js";
import { COPY_LIMIT } from "./writer.js";

const READABLE_MARK = 65_536;
// What the peer's window takes at once.
const WRITABLE_MARK = INITIAL_WINDOW;

// How long a failed write waits for somebody to read what had arrived: its error, as every error of a Node stream, ends
// the reading, too.
const UNREAD_GRACE = 2000;

// How long a stream that both its end and destroy() are done with waits for the peer's end. It is on its way, most often, and
// a peer that has sent it knows the stream no more: Go's logs a warning for a reset then.
const END_GRACE = 1000;

// A stream fails because of what the peer does. Go's streams tell only those who read and write; in Node an 'error'
// that nobody listens to would end the process.
const unheard = (): void => {};

/**
 * A yamux stream as a Node Duplex that may be half open: `end()` sends FIN and reading goes on. What was read reopens
 * the window, and `write` waits for the peer's.
 *
 * `destroy()` without an error, once the peer's end was read, ends the stream with FIN, as it would a net.Socket (so
 * does a `for await` that has read everything). After `end()` it waits a second for the peer's end; bytes that come instead
 * reset the stream, as with TCP. In all other cases, unsent or unread bytes among them, it resets the stream at once.
 *
 * A failure needs no `error` listener: it reaches `error` listeners, and whoever reads or writes at the time
 * (`pipeline`, `for await`, the callback of a write). A peer's reset after this side's own end, while nobody reads, is
 * no failure: the stream just closes.
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
  // Bytes of the write under way, which the channel has.
  #pendingBytes = 0;
  #endPushed = false;
  // The session ended while there was something left to read: the error follows after that.
  #deferred: Error | undefined;
  #stopGrace: (() => void) | undefined;
  /** Whether somebody has read since the grace began. */
  #wasRead = false;

  /** @internal Streams come from a session, or from a channel's toDuplex(). */
  constructor(channel: MuxChannel, afterFlush: (callback: () => void) => void) {
    super({
      allowHalfOpen: true,
      readableHighWaterMark: READABLE_MARK,
      writableHighWaterMark: WRITABLE_MARK,
    });
    this.#channel = channel;
    this.#afterFlush = afterFlush;
    this.on("error", unheard);
    channel.attach({
      onData: (chunk, mayKeep) => this.#receive(chunk, mayKeep === true),
      takesParts: true,
      onEnd: () => {
        this.#endPushed = true;
        if (!this.destroyed) this.push(null);
      },
      onWriteEnd: (error) => {
        if (this.#pendingWrite !== undefined) this.#failAfterGrace(error);
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
    this.#wasRead ||= chunk !== null;
    this.#channel.held = left;
    // Nothing left, or not as much as was asked for.
    if (left === 0 || (chunk === null && size !== 0)) this.#channel.resume();
    this.#channel.updateWindow();
    if (this.#deferred !== undefined && this.readableLength === 0 && !this.#endPushed)
      this.destroy(this.#deferred);
    return chunk;
  }

  /** @internal */
  override _read(): void {
    // While nobody takes what is here, more waits in the channel, which packs it closely.
    if (this.readableFlowing === true || this.readableLength === 0) this.#channel.resume();
  }

  /** @internal */
  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#write([{ chunk }], callback);
  }

  /** @internal */
  override _writev(
    chunks: { chunk: Buffer; encoding: BufferEncoding }[],
    callback: (error?: Error | null) => void,
  ): void {
    this.#write(chunks, callback);
  }

  /** @internal */
  override _final(callback: (error?: Error | null) => void): void {
    this.#channel.end();
    callback();
  }

  /** @internal */
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#stopGrace?.();
    const reason = isAfterIteration(error) && this.#isReadOut ? null : error;
    if (reason === null && this.#isReadOut && !this.#hasUnsent) this.#channel.end();
    else if (reason === null && this.writableFinished && !this.#hasUnsent && !this.#hasUnread) this.#linger();
    else this.#channel.destroy(reason ?? undefined);
    if (this.#pendingWrite !== undefined)
      this.#writeDone(reason ?? new YamuxError("ERR_YAMUX_STREAM_CLOSED"));
    callback(reason);
  }

  /** Waits for the peer's end. */
  #linger(): void {
    this.#stopGrace = startTimer(END_GRACE, () => this.#channel.destroy(), false);
    // It may have been held back.
    this.#channel.resume();
  }

  /** Whether the peer's end, and all before it, was taken. */
  get #isReadOut(): boolean {
    return this.#endPushed && this.readableLength === 0;
  }

  /** Whether there are bytes, or an end, that nobody has taken. */
  get #hasUnread(): boolean {
    return this.readableLength > 0 || this.#channel.unread > 0 || (this.#endPushed && !this.readableEnded);
  }

  /** Whether bytes were written that are not on their way: held back by the peer's window, or behind such ones. */
  get #hasUnsent(): boolean {
    const queued = this.writableLength - (this.#pendingWrite === undefined ? 0 : this.#pendingBytes);
    return this.#channel.isBlocked || queued > 0;
  }

  get #isBeingRead(): boolean {
    return this.listenerCount("data") > 0 || this.listenerCount("readable") > 0;
  }

  #receive(chunk: Buffer, mayKeep: boolean): void {
    if (this.destroyed) {
      this.#channel.destroy();
      return;
    }
    const flowing = this.readableFlowing === true;
    const more = this.push(mayKeep ? chunk : Buffer.from(chunk));
    this.#channel.held = this.readableLength;
    if (!more || (!flowing && this.readableLength > 0)) this.#channel.pause();
  }

  #write(chunks: readonly { chunk: Buffer }[], callback: (error?: Error | null) => void): void {
    let open = true;
    this.#largestWrite = 0;
    this.#pendingBytes = 0;
    try {
      for (const { chunk } of chunks) {
        open = this.#channel.write(chunk);
        this.#pendingBytes += chunk.length;
        this.#largestWrite = Math.max(this.#largestWrite, chunk.length);
      }
    } catch (error) {
      if (this.#hasUnread) {
        this.#pendingWrite = callback;
        this.#failAfterGrace(error as Error);
      } else {
        callback(error as Error);
      }
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
    if (this.destroyed) this.#stopGrace?.();
    if (error === undefined || this.destroyed) return;
    if (isReset(error) && this.writableFinished && !this.#isBeingRead) {
      this.destroy();
      return;
    }
    const shutdown = error instanceof YamuxError && error.code === "ERR_YAMUX_SESSION_SHUTDOWN";
    const endDue = this.#endPushed && !this.readableEnded;
    if (!shutdown || (this.readableLength === 0 && !endDue)) {
      this.destroy(error);
      return;
    }
    this.#deferred = error;
    if (endDue) this.once("end", () => this.destroy(error));
  }

  #failAfterGrace(error: Error): void {
    this.#wasRead = false;
    this.#stopGrace?.();
    this.#stopGrace = startTimer(UNREAD_GRACE, () => {
      if (this.#wasRead) this.#failAfterGrace(error);
      else this.destroy(error);
    });
  }
}

function isReset(error: Error): boolean {
  return error instanceof YamuxError && error.code === "ERR_YAMUX_CONNECTION_RESET";
}

/** Whether this is what Node destroys a half-open Duplex with at the end of a `for await` (there is no reason in it). */
function isAfterIteration(error: Error | null): boolean {
  return error?.name === "AbortError" && error.cause === undefined;
}
