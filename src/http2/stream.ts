import { ErrorCode, errorName, Http2Error } from "./errors.js";
import { DEFAULT_WINDOW, MAX_WINDOW, RST_STREAM, WINDOW_UPDATE } from "./frame.js";
import type { HeaderList } from "./hpack-decoder.js";
import type { FrameWriter } from "./writer.js";

/** RFC 9113, section 5.1; `idle` is also a stream that waits for its place among the peer's concurrent ones. */
export type StreamState = "idle" | "open" | "halfClosedLocal" | "halfClosedRemote" | "closed";

/** What a stream tells the one who uses it. Callbacks run while input is parsed; one that throws loses its stream. */
export interface StreamHandler {
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

/** What a stream needs of its session. */
export interface StreamHost {
  readonly writer: FrameWriter;
  /** Bytes of DATA that the connection may still carry. */
  readonly sendWindow: number;
  readonly maxSendFrame: number;
  readonly maxSendHeaderList: number;
  /** The window that each stream offers the peer. */
  readonly streamWindow: number;
  /** What a peer that does not know the window yet may send beyond it (RFC 9113, section 6.9.3). */
  readonly windowExcess: number;
  /** False, and nothing is sent, if the list is larger than the peer takes. */
  sendHeaders(id: number, headers: HeaderList, end: boolean): boolean;
  /** A DATA frame of `length` bytes: `lead`, if any, and `chunk`. */
  sendData(id: number, end: boolean, lead: Uint8Array | undefined, chunk: Uint8Array, length: number): void;
  /** This stream has something to send, but the connection has no room: it is called when it has. */
  awaitRoom(stream: Stream): void;
  /** Both directions are over. `own`: this side reset the stream, and frames that are on their way are no error. */
  release(stream: Stream, own: boolean): void;
}

const NOTHING: readonly Uint8Array[] = [];

/** One request and its response. */
export class Stream {
  /** 0 as long as the stream is `idle`. */
  id = 0;
  /** A client's stream: the response's header fields have come. */
  responded = false;
  readonly #host: StreamHost;
  #handler: StreamHandler | undefined;
  #state: StreamState = "idle";
  #sendWindow = DEFAULT_WINDOW;
  #recvWindow: number;
  #unread = 0;
  #outbox: Uint8Array[] = NOTHING as Uint8Array[];
  #wasCutShort = false;
  /** For a handler that comes late. */
  #closedWith: Http2Error | undefined;
  /** What ends this side's direction once the outbox is empty: trailers, or none. */
  #ending: HeaderList | "plain" | undefined;
  #endsAll = false;
  #request: HeaderList | undefined;
  #drainOwed = false;
  #waits = false;
  /** The body's length that the peer has announced, less what has come (RFC 9113, section 8.1.1). */
  #contentLeft: number | undefined;

  constructor(host: StreamHost) {
    this.#host = host;
    this.#recvWindow = host.streamWindow;
  }

  get state(): StreamState {
    return this.#state;
  }

  /** Whether bytes were given to `write` that have not been queued yet, or were not when the stream ended. */
  get isBlocked(): boolean {
    return this.#outbox.length > 0 || this.#wasCutShort;
  }

  /** Bytes of a list of header fields that may be sent, by HTTP/2's reckoning. A larger one resets the stream. */
  get maxHeaderList(): number {
    return this.#host.maxSendHeaderList;
  }

  // The user's side.

  /** @internal A server's stream gets its handler with its request, and may be over by then. */
  attach(handler: StreamHandler): void {
    if (this.#state === "closed") queueMicrotask(() => handler.onClose(this.#closedWith));
    else this.#handler = handler;
  }

  /** A server's response headers; with `end` they are the whole response, and `all` is as in {@link end}. Nothing happens once the stream is over. */
  respond(headers: HeaderList, end: boolean, all = false): void {
    if (this.#state !== "open" && this.#state !== "halfClosedRemote") return;
    this.#endsAll = all;
    if (!this.#host.sendHeaders(this.id, headers, end)) this.#tooLarge();
    else if (end) this.#endLocal();
  }

  /**
   * Sends a piece of the body: `lead`, if any, and the chunk, which may be kept by reference until it is sent; the lead
   * is copied. Returns false when the caller should wait for onDrain. Nothing happens once this direction is over.
   */
  write(chunk: Uint8Array, lead?: Uint8Array): boolean {
    if (this.#ending !== undefined || this.#state === "closed" || this.#state === "halfClosedLocal")
      return true;
    const host = this.#host;
    const length = chunk.length + (lead === undefined ? 0 : lead.length);
    if (
      this.#outbox.length === 0 &&
      length <= this.#sendWindow &&
      length <= host.sendWindow &&
      length <= host.maxSendFrame &&
      this.#state !== "idle" &&
      !host.writer.congested
    ) {
      this.#sendWindow -= length;
      host.sendData(this.id, false, lead, chunk, length);
      if (!host.writer.congested) return true;
    } else {
      const sent = lead === undefined ? 0 : this.#sendLead(lead, chunk);
      if (this.#outbox.length === 0) this.#outbox = [];
      if (sent < chunk.length) this.#outbox.push(sent === 0 ? chunk : chunk.subarray(sent));
      this.#pump(Infinity);
      if (this.#outbox.length === 0 && !host.writer.congested) return true;
    }
    this.#drainOwed = true;
    if (this.#outbox.length === 0) this.#awaitRoom();
    return false;
  }

  /**
   * Ends this side's direction, behind everything written: by trailers, or by a DATA frame, if need be an empty one:
   * grpc-go's servers wait for ever for the end of a request that ends with its header fields. With `all` the peer's direction
   * ends, too, if it is still open: a server that has answered wants no more of the request.
   */
  end(trailers?: HeaderList, all = false): void {
    if (this.#ending !== undefined || this.#state === "closed" || this.#state === "halfClosedLocal") return;
    this.#ending = trailers ?? "plain";
    this.#endsAll = all;
    if (this.#outbox.length === 0 && this.#state !== "idle") this.#sendEnd();
  }

  /** Calls back once the connection has taken what `write` has let through; never, if it ends before. */
  afterFlush(callback: () => void): void {
    this.#host.writer.afterFlush(callback);
  }

  /** Ends both directions at once (RST_STREAM): onClose follows in a microtask, without any further data. */
  reset(code: number, error?: Http2Error): void {
    if (this.#state === "closed") return;
    if (this.#state !== "idle") this.#host.writer.number(RST_STREAM, this.id, code);
    this.#over(
      error ?? new Http2Error("ERR_HTTP2_CLOSED", code, `the stream was reset with ${errorName(code)}`),
      true,
      true,
    );
  }

  /** Bytes from onData that the user is done with: the peer may send as many more. */
  consumed(bytes: number): void {
    if (this.#state === "closed") return;
    this.#unread -= bytes;
    this.#credit();
  }

  // The session's side.

  /** A client's request goes out. False, and the number is not used, if its headers are more than the peer takes. */
  start(id: number, sendWindow: number): boolean {
    const headers = this.#request!;
    this.#request = undefined;
    if (!this.#host.sendHeaders(id, headers, false)) {
      this.#over(tooLarge(), false, true);
      return false;
    }
    this.id = id;
    this.#state = "open";
    this.#sendWindow = sendWindow;
    if (this.#outbox.length > 0) this.room(Infinity);
    else if (this.#ending !== undefined) this.#sendEnd();
    else if (this.#drainOwed) this.room(0);
    return true;
  }

  /** A client's request waits. */
  prepare(headers: HeaderList, handler: StreamHandler): void {
    this.#request = headers;
    this.#handler = handler;
  }

  /** A server's stream begins with its request. */
  accept(id: number, sendWindow: number): void {
    this.id = id;
    this.#state = "open";
    this.#sendWindow = sendWindow;
  }

  /** The peer announced a body of so many bytes. */
  expectLength(bytes: number): void {
    this.#contentLeft = bytes;
  }

  takeHeaders(headers: HeaderList, end: boolean): void {
    if (end && !this.#lengthFits()) return;
    try {
      this.#handler?.onHeaders(headers, end);
    } catch (cause) {
      this.#broken(cause);
    }
    if (end) this.#endRemote();
  }

  /** A DATA frame's header: its whole length counts against the window. False if the stream has been reset. */
  expect(length: number): boolean {
    if (length > this.#recvWindow && length > this.#recvWindow + this.#host.windowExcess) {
      this.fail(ErrorCode.FLOW_CONTROL_ERROR, "the peer sent more than the stream's window allows");
      return false;
    }
    this.#recvWindow -= length;
    this.#unread += length;
    return true;
  }

  /** So much of the frame was padding: nobody will consume it. */
  unpad(length: number): void {
    this.consumed(length);
  }

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

  takeEnd(): void {
    if (!this.#lengthFits()) return;
    try {
      this.#handler?.onEnd();
    } catch (cause) {
      this.#broken(cause);
    }
    this.#endRemote();
  }

  /** The peer reset the stream. */
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

  /** The peer's window for this stream grows, or shrinks by a change of its settings. False on an overflow. */
  addWindow(delta: number): boolean {
    if (this.#sendWindow + delta > MAX_WINDOW) return false;
    this.#sendWindow += delta;
    if (delta > 0 && this.#outbox.length > 0) this.room(Infinity);
    return true;
  }

  /** The connection has room: sends up to `limit` bytes. */
  room(limit: number): void {
    this.#waits = false;
    if (this.#state === "closed") return;
    this.#pump(limit);
    if (!this.#drainOwed || this.#outbox.length > 0) return;
    if (this.#host.writer.congested) {
      this.#awaitRoom();
      return;
    }
    this.#drainOwed = false;
    try {
      this.#handler?.onDrain?.();
    } catch (cause) {
      this.#broken(cause);
    }
  }

  /** The stream broke the protocol: it is reset, and its user told why. */
  fail(code: number, message: string): void {
    if (this.#state === "closed") return;
    this.#host.writer.number(RST_STREAM, this.id, code);
    this.#over(new Http2Error("ERR_HTTP2_STREAM", code, message), true, false);
  }

  /** The session is over, or the peer will not process the stream. */
  abort(error: Http2Error): void {
    this.#over(error, false, false);
  }

  /** Sends the lead with as much of the chunk as goes into its frame, and returns how much; or queues it. */
  #sendLead(lead: Uint8Array, chunk: Uint8Array): number {
    const host = this.#host;
    const room = Math.min(this.#sendWindow, host.sendWindow, host.maxSendFrame) - lead.length;
    if (this.#outbox.length > 0 || room < 0 || this.#state === "idle" || host.writer.congested) {
      if (this.#outbox.length === 0) this.#outbox = [];
      this.#outbox.push(Uint8Array.from(lead));
      return 0;
    }
    const sent = Math.min(room, chunk.length);
    this.#sendWindow -= lead.length + sent;
    host.sendData(this.id, false, lead, chunk.subarray(0, sent), lead.length + sent);
    return sent;
  }

  #pump(limit: number): void {
    if (this.#state === "idle") return;
    const host = this.#host;
    const outbox = this.#outbox;
    let sent = 0;
    let left = limit;
    while (sent < outbox.length && this.#sendWindow > 0) {
      if (left <= 0 || host.sendWindow <= 0 || host.writer.congested) {
        this.#awaitRoom();
        break;
      }
      const chunk = outbox[sent]!;
      const most = Math.min(chunk.length, this.#sendWindow, host.sendWindow, host.maxSendFrame);
      this.#sendWindow -= most;
      left -= most;
      if (most === chunk.length) {
        sent++;
        // The last piece carries the end.
        const end = sent === outbox.length && this.#ending === "plain";
        host.sendData(this.id, end, undefined, chunk, most);
        if (end) {
          this.#outbox = NOTHING as Uint8Array[];
          this.#endLocal();
          return;
        }
      } else {
        host.sendData(this.id, false, undefined, chunk.subarray(0, most), most);
        outbox[sent] = chunk.subarray(most);
      }
    }
    if (sent === outbox.length) {
      this.#outbox = NOTHING as Uint8Array[];
      if (sent > 0 && this.#ending !== undefined) this.#sendEnd();
    } else if (sent > 0) outbox.splice(0, sent);
  }

  #awaitRoom(): void {
    if (this.#waits) return;
    this.#waits = true;
    this.#host.awaitRoom(this);
  }

  #sendEnd(): void {
    if (this.#ending !== "plain") {
      if (!this.#host.sendHeaders(this.id, this.#ending!, true)) {
        this.#tooLarge();
        return;
      }
    } else if (!this.#host.writer.endLast(this.id)) {
      this.#host.sendData(this.id, true, undefined, empty, 0);
    }
    this.#endLocal();
  }

  /** As grpc-go does it: the peer cannot be told more. */
  #tooLarge(): void {
    this.#host.writer.number(RST_STREAM, this.id, ErrorCode.INTERNAL_ERROR);
    this.#over(tooLarge(), true, true);
  }

  #endLocal(): void {
    if (this.#state === "halfClosedRemote") this.#over(undefined, false, true);
    else if (this.#state === "open") {
      this.#state = "halfClosedLocal";
      if (!this.#endsAll) return;
      this.#host.writer.number(RST_STREAM, this.id, ErrorCode.NO_ERROR);
      this.#over(undefined, true, true);
    }
  }

  #endRemote(): void {
    if (this.#state === "open") this.#state = "halfClosedRemote";
    else if (this.#state === "halfClosedLocal") this.#over(undefined, false, false);
  }

  /** Half of the window is given back at once, not each piece by itself. */
  #credit(): void {
    const window = this.#host.streamWindow;
    const delta = window - this.#unread - this.#recvWindow;
    if (delta < window >>> 1 || (this.#state !== "open" && this.#state !== "halfClosedLocal")) return;
    this.#recvWindow += delta;
    this.#host.writer.lazily(WINDOW_UPDATE, this.id, delta);
  }

  #lengthFits(): boolean {
    if (this.#contentLeft === undefined || this.#contentLeft === 0) return true;
    this.fail(ErrorCode.PROTOCOL_ERROR, "the body is not as long as its content-length");
    return false;
  }

  #over(error: Http2Error | undefined, own: boolean, later: boolean): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#wasCutShort = this.#outbox.length > 0;
    this.#outbox = NOTHING as Uint8Array[];
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

const empty = Buffer.alloc(0);
