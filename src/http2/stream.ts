import { ErrorCode, errorName, Http2Error } from "./errors.js";
import { RST_STREAM, WINDOW_UPDATE } from "./frame.js";
import type { HeaderList } from "./hpack-decoder.js";
import type { Outgoing } from "./outgoing.js";
import { ReceiveWindow } from "./receive-window.js";
import { Sender, type SenderEvents } from "./sender.js";
import type { StreamHandler } from "./stream-handler.js";

/** RFC 9113, section 5.1; `idle` is also a stream that waits for its place among the peer's concurrent ones. */
export type StreamState = "idle" | "open" | "halfClosedLocal" | "halfClosedRemote" | "closed";

/** What a stream needs of its session. */
export interface StreamHost {
  readonly out: Outgoing;
  /** The window that each stream offers the peer. */
  readonly streamWindow: number;
  /** What a peer that does not know the window yet may send beyond it (RFC 9113, section 6.9.3). */
  readonly windowExcess: number;
  /** Both directions are over. `own`: this side reset the stream, and frames that are on their way are no error. */
  release(stream: Stream, own: boolean): void;
}

/** One request and its response. */
export class Stream implements SenderEvents {
  /** 0 as long as the stream is `idle`. */
  id = 0;
  /** The header fields of the peer's message have come; a server's stream begins with them. */
  begun = false;
  readonly #host: StreamHost;
  readonly #sender: Sender;
  /** From the peer's first DATA on. */
  #window: ReceiveWindow | undefined;
  #handler: StreamHandler | undefined;
  #state: StreamState = "idle";
  /** A client's request, until it goes out. */
  #request: HeaderList | undefined;
  /** With the end of this side's direction the peer's ends, too. */
  #endsAll = false;
  /** The body's length that the peer has announced, less what has come (RFC 9113, section 8.1.1). */
  #contentLeft: number | undefined;
  /** For a handler that comes late. */
  #closedWith: Http2Error | undefined;

  constructor(host: StreamHost) {
    this.#host = host;
    this.#sender = new Sender(this, host.out);
  }

  get state(): StreamState {
    return this.#state;
  }

  /** Whether bytes were given to `write` that have not been queued yet, or were not when the stream ended. */
  get isBlocked(): boolean {
    return this.#sender.isBlocked;
  }

  /** Bytes of a list of header fields that may be sent, by HTTP/2's reckoning. A larger one resets the stream. */
  get maxHeaderList(): number {
    return this.#host.out.maxHeaderList;
  }

  // The user's side.

  /** A server's response headers; with `end` they are the whole response, and `all` is as in {@link end}. Nothing happens once the stream is over. */
  respond(headers: HeaderList, end: boolean, all = false): void {
    this.#endsAll = all;
    this.#sender.headers(headers, end);
  }

  /**
   * Sends a piece of the body: `lead`, if any, and the chunk, which may be kept by reference until it is sent; the lead
   * is copied. Returns false when the caller should wait for onDrain. Nothing happens once this direction is over.
   */
  write(chunk: Uint8Array, lead?: Uint8Array): boolean {
    return this.#sender.write(chunk, lead);
  }

  /**
   * Ends this side's direction, behind everything written: by trailers, or by a DATA frame, if need be an empty one:
   * grpc-go's servers wait for ever for the end of a request that ends with its header fields. With `all` the peer's direction
   * ends, too, if it is still open: a server that has answered wants no more of the request.
   */
  end(trailers?: HeaderList, all = false): void {
    if (all) this.#endsAll = true;
    this.#sender.end(trailers);
  }

  /** Calls back once the connection has taken what `write` has let through; never, if it ends before. */
  afterFlush(callback: () => void): void {
    this.#host.out.writer.afterFlush(callback);
  }

  /** Ends both directions at once (RST_STREAM): onClose follows in a microtask, without any further data. */
  reset(code: number, error?: Http2Error): void {
    if (this.#state === "closed") return;
    if (this.#state !== "idle") this.#sendReset(code);
    this.#over(
      error ?? new Http2Error("ERR_HTTP2_CLOSED", code, `the stream was reset with ${errorName(code)}`),
      true,
      true,
    );
  }

  /** Bytes from onData that the user is done with: the peer may send as many more. */
  consumed(bytes: number): void {
    if (this.#state === "closed" || this.#window === undefined) return;
    this.#window.consumed(bytes);
    // A peer that has sent its end needs no more.
    if (this.#state !== "open" && this.#state !== "halfClosedLocal") return;
    const delta = this.#window.reopen();
    if (delta > 0) this.#host.out.writer.lazily(WINDOW_UPDATE, this.id, delta);
  }

  // The session's side.

  /** @internal A client's request waits for its place. */
  prepare(headers: HeaderList, handler: StreamHandler): void {
    this.#request = headers;
    this.#handler = handler;
  }

  /** @internal It goes out. False, and the number is not used, if its headers are more than the peer takes. */
  start(id: number, sendWindow: number): boolean {
    const headers = this.#request!;
    this.#request = undefined;
    if (!this.#host.out.headers(id, headers, false)) {
      this.#over(tooLarge(), false, true);
      return false;
    }
    this.accept(id, sendWindow);
    return true;
  }

  /** @internal The stream has its number; a server's begins with its request. */
  accept(id: number, sendWindow: number): void {
    this.id = id;
    this.#state = "open";
    this.#sender.open(sendWindow);
  }

  /** @internal A server's stream gets its handler with its request, and may be over by then. */
  attach(handler: StreamHandler): void {
    if (this.#state === "closed") {
      queueMicrotask(() => handler.onClose(this.#closedWith));
      return;
    }
    this.#handler = handler;
    try {
      handler.onAttached?.();
    } catch (cause) {
      this.#broken(cause);
    }
  }

  /** @internal The peer announced a body of so many bytes. */
  expectLength(bytes: number): void {
    this.#contentLeft = bytes;
  }

  /** @internal */
  takeHeaders(headers: HeaderList, end: boolean): void {
    if (end && !this.#lengthFits()) return;
    try {
      this.#handler?.onHeaders(headers, end);
    } catch (cause) {
      this.#broken(cause);
    }
    if (end) this.#endRemote();
  }

  /** @internal A DATA frame's header: its whole length counts against the window. False if the stream has been reset. */
  expect(length: number): boolean {
    this.#window ??= new ReceiveWindow(this.#host.streamWindow);
    if (this.#window.take(length, this.#host.windowExcess)) return true;
    this.fail(ErrorCode.FLOW_CONTROL_ERROR, "the peer sent more than the stream's window allows");
    return false;
  }

  /** @internal */
  take(chunk: Buffer, mayKeep: boolean): void {
    if (this.#contentLeft !== undefined) {
      this.#contentLeft -= chunk.length;
      if (this.#contentLeft < 0 && !this.#lengthFits()) return;
    }
    try {
      this.#handler?.onData(chunk, mayKeep);
    } catch (cause) {
      this.#broken(cause);
    }
  }

  /** @internal */
  takeEnd(): void {
    if (!this.#lengthFits()) return;
    try {
      this.#handler?.onEnd();
    } catch (cause) {
      this.#broken(cause);
    }
    this.#endRemote();
  }

  /** @internal The peer reset the stream. */
  takeReset(code: number): void {
    this.#over(
      new Http2Error(
        code === ErrorCode.REFUSED_STREAM ? "ERR_HTTP2_REFUSED" : "ERR_HTTP2_RESET",
        code,
        `stream terminated by RST_STREAM with error code: ${errorName(code)}`,
      ),
      false,
      false,
    );
  }

  /** @internal The peer's window for this stream changes. False on an overflow. */
  addWindow(delta: number): boolean {
    return this.#sender.addWindow(delta);
  }

  /** @internal The stream broke the protocol: it is reset, and its user told why. */
  fail(code: number, message: string): void {
    if (this.#state === "closed") return;
    this.#sendReset(code);
    this.#over(new Http2Error("ERR_HTTP2_STREAM", code, message), true, false);
  }

  /** @internal The session is over, or the peer will not process the stream. */
  abort(error: Http2Error): void {
    this.#over(error, false, false);
  }

  // The sender's side.

  /** @internal */
  onSent(): void {
    if (this.#state === "halfClosedRemote") this.#over(undefined, false, true);
    else if (this.#state === "open") {
      this.#state = "halfClosedLocal";
      if (!this.#endsAll) return;
      this.#sendReset(ErrorCode.NO_ERROR);
      this.#over(undefined, true, true);
    }
  }

  /** @internal As grpc-go does it: the peer cannot be told more. */
  onTooLarge(): void {
    this.#sendReset(ErrorCode.INTERNAL_ERROR);
    this.#over(tooLarge(), true, true);
  }

  /** @internal */
  onRoom(): void {
    try {
      this.#handler?.onDrain?.();
    } catch (cause) {
      this.#broken(cause);
    }
  }

  #sendReset(code: number): void {
    this.#host.out.writer.number(RST_STREAM, this.id, code);
  }

  #endRemote(): void {
    if (this.#state === "open") this.#state = "halfClosedRemote";
    else if (this.#state === "halfClosedLocal") this.#over(undefined, false, false);
  }

  #lengthFits(): boolean {
    if (this.#contentLeft === undefined || this.#contentLeft === 0) return true;
    this.fail(ErrorCode.PROTOCOL_ERROR, "the body is not as long as its content-length");
    return false;
  }

  #over(error: Http2Error | undefined, own: boolean, later: boolean): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#sender.close();
    this.#request = undefined;
    this.#host.release(this, own);
    const handler = this.#handler;
    this.#handler = undefined;
    if (handler === undefined) {
      this.#closedWith = error;
      return;
    }
    // Not within a call of the user's own.
    if (later) queueMicrotask(() => handler.onClose(error));
    else handler.onClose(error);
  }

  /** The handler threw: its stream goes, the connection stays. */
  #broken(cause: unknown): void {
    const code = ErrorCode.INTERNAL_ERROR;
    this.reset(code, new Http2Error("ERR_HTTP2_STREAM", code, "the stream's handler threw", cause));
  }
}

function tooLarge(): Http2Error {
  const message = "header list size to send violates the maximum size set by the peer";
  return new Http2Error("ERR_HTTP2_STREAM", ErrorCode.INTERNAL_ERROR, message);
}
