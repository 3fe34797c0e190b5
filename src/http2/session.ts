import { createTrace } from "../trace.js";
import { startTimer } from "../wait.js";
import type { Connection } from "./connection.js";
import { ErrorCode, errorName, Http2Error } from "./errors.js";
import {
  ACK,
  CONTINUATION,
  DEFAULT_WINDOW,
  END_HEADERS,
  END_STREAM,
  GOAWAY,
  HEADERS,
  MAX_STREAM_ID,
  MAX_WINDOW,
  MIN_MAX_FRAME_SIZE,
  PING,
  PREFACE,
  putU32,
  RST_STREAM,
  readU32,
  SETTINGS,
  WINDOW_UPDATE,
} from "./frame.js";
import type { HeaderList } from "./hpack-decoder.js";
import { encodedBound, HpackEncoder, listSize } from "./hpack-encoder.js";
import { FrameParser } from "./parser.js";
import { Receiver, type ReceiverHost } from "./receiver.js";
import { defaultSettings, readSettings, writeSettings } from "./settings.js";
import { Stream, type StreamHandler, type StreamHost } from "./stream.js";
import { FrameWriter, type WriterEvents } from "./writer.js";

export interface SessionOptions {
  /** Streams that the peer may have open at once. Default: no limit, as with Go's gRPC servers. */
  readonly maxConcurrentStreams?: number | undefined;
  /** Bytes of a stream that the peer may send ahead of `consumed`. Default: 1 MiB. */
  readonly streamWindow?: number;
  /** Bytes of a list of header fields that this side takes. Default: 16 MiB, as in grpc-go. */
  readonly maxHeaderListSize?: number | undefined;
  /** Milliseconds of silence after which the peer is asked for a sign of life, and that it has to give one. */
  readonly keepalive?: { readonly time: number; readonly timeout: number } | undefined;
  /** Which header fields will hardly come again, and are not worth a place in HPACK's table. */
  readonly oneOff?: (name: string, value: string) => boolean;
}

/** Takes a client's request: the stream's handler. It may answer at once. */
export type OnStream = (stream: Stream, headers: HeaderList, end: boolean) => StreamHandler;

/**
 * `opening` until the peer's SETTINGS are there; `draining` once either side has said that it takes no further streams;
 * `closed` when all streams are over and nothing is sent any more.
 */
export type SessionState = "opening" | "open" | "draining" | "closed";

const trace = createTrace("goplug:http2");

/** What one frame of a peer that takes more than the least may carry. */
const MAX_SEND_FRAME = 65_536;
/** grpc-go does not say how large a list it takes, and ends its connection over one that is larger than this. */
const MAX_SEND_HEADER_LIST = 16 * 1024 * 1024;
const CONNECTION_WINDOW = 16 * 1024 * 1024;
/** The input waits as long as so much output does. */
const PAUSE_AT = 32 * 1024 * 1024;
/** What a stream sends before it is the next one's turn. */
const QUANTUM = 65_536;
/** How many streams that this side has reset are remembered, for their late frames. */
const REMEMBERED_RESETS = 4096;
/** Milliseconds that the peer has to close a connection after this side has. */
const LINGER = 1000;
/** Milliseconds after the first GOAWAY of a drain in which new streams are still taken, if the peer does not answer. */
const LAST_CALL = 1000;
/** Milliseconds in which a client must have said who it is (grpc-go: ConnectionTimeout). */
const PATIENCE = 120_000;

/** An HTTP/2 connection, in either role, over any {@link Connection}. */
export class Session implements StreamHost, ReceiverHost, WriterEvents {
  readonly role: "client" | "server";
  readonly writer: FrameWriter;
  readonly streamWindow: number;
  readonly maxHeaderListSize: number;
  /** Resolves when the peer's SETTINGS are there. Rejects with the reason when the connection fails before. */
  readonly ready: Promise<void>;
  /** Resolves when the connection is closed. */
  readonly closed: Promise<void>;
  sendWindow = DEFAULT_WINDOW;

  readonly #connection: Connection;
  readonly #parser: FrameParser;
  readonly #receiver: Receiver;
  readonly #encoder: HpackEncoder;
  readonly #onStream: OnStream | undefined;
  readonly #streams = new Map<number, Stream>();
  readonly #resets = new Set<number>();
  readonly #maxConcurrent: number;
  readonly #peer = defaultSettings();
  /** Streams that wait for their place among those that the peer takes at once. */
  #queue: Stream[] = [];
  #waiting = new Set<Stream>();
  #state: SessionState = "opening";
  #error: Http2Error | undefined;
  #nextId = 1;
  /** The highest stream that the peer has opened, and the one up to which this side still takes them. */
  #lastPeerId = 0;
  #takesUpTo = MAX_STREAM_ID;
  #recvWindow = CONNECTION_WINDOW;
  #paused = false;
  #pings = new Map<number, () => void>();
  #pingCount = 0;
  #heard = false;
  /** The peer has acknowledged this side's SETTINGS. */
  #heeded = false;
  #stopKeepalive: (() => void) | undefined;
  /** What stops each timer that runs. */
  readonly #timers = new Set<() => void>();
  #onEnding: (() => void) | undefined;
  #markReady!: () => void;
  #markFailed!: (error: Http2Error) => void;
  #markClosed!: () => void;

  private constructor(
    role: "client" | "server",
    connection: Connection,
    options: SessionOptions,
    onStream: OnStream | undefined,
  ) {
    this.role = role;
    this.#connection = connection;
    this.#onStream = onStream;
    this.streamWindow = options.streamWindow ?? 1024 * 1024;
    this.maxHeaderListSize = options.maxHeaderListSize ?? 16 * 1024 * 1024;
    this.#maxConcurrent = options.maxConcurrentStreams ?? Infinity;
    const line = trace.enabled ? (text: string) => trace(`${role} ${text}`) : undefined;
    this.writer = new FrameWriter(connection, this, line);
    this.#encoder = new HpackEncoder(options.oneOff);
    this.#receiver = new Receiver(this, line);
    this.#parser = new FrameParser(this.#receiver, MIN_MAX_FRAME_SIZE, role === "server");
    this.ready = new Promise((resolve, reject) => {
      this.#markReady = resolve;
      this.#markFailed = reject;
    });
    this.ready.catch(() => {});
    this.closed = new Promise((resolve) => {
      this.#markClosed = resolve;
    });
    this.#hello(options.maxConcurrentStreams);
    if (role === "server") this.#later(PATIENCE, () => this.#giveUp());
    if (options.keepalive !== undefined) this.#keepAlive(options.keepalive);
    connection.attach({
      onData: (chunk, mayKeep) => this.#input(chunk, mayKeep),
      onEnd: () => this.#lost(undefined),
      onClose: (error) => {
        this.#lost(error);
        for (const stop of this.#timers) stop();
        this.#markClosed();
      },
    });
  }

  static client(connection: Connection, options: SessionOptions = {}): Session {
    return new Session("client", connection, options, undefined);
  }

  static server(connection: Connection, onStream: OnStream, options: SessionOptions = {}): Session {
    return new Session("server", connection, options, onStream);
  }

  get state(): SessionState {
    return this.#state;
  }

  /** Why the session is closed; undefined as long as it is not, and after a `close` or a clean end. */
  get error(): Http2Error | undefined {
    return this.#error;
  }

  /** Streams that are open. */
  get size(): number {
    return this.#streams.size;
  }

  /**
   * Sends a client's request; more than the peer takes at once wait for their turn. The body, if any, and the end
   * follow by the stream's `write` and `end`.
   *
   * @throws Http2Error ERR_HTTP2_REFUSED when the peer takes no further streams, ERR_HTTP2_CLOSED, or the error that
   * has ended the connection
   */
  open(headers: HeaderList, handler: StreamHandler): Stream {
    if (this.#state === "closed") throw this.#error ?? closedError();
    if (this.#state === "draining" || this.#nextId > MAX_STREAM_ID) {
      const message = "the peer takes no further streams on this connection";
      throw new Http2Error("ERR_HTTP2_REFUSED", ErrorCode.REFUSED_STREAM, message);
    }
    const stream = new Stream(this);
    stream.prepare(headers, handler);
    if (this.#streams.size < this.#peer.maxConcurrentStreams && this.#queue.length === 0) this.#start(stream);
    else this.#queue.push(stream);
    return stream;
  }

  /** Calls back once, as soon as no further stream can be opened: before the streams that fail by it are told. */
  onEnding(listener: () => void): void {
    this.#onEnding = listener;
    if (this.#state === "draining" || this.#state === "closed") this.#ends();
  }

  /** Resolves with the milliseconds that the peer took to answer; rejects when the connection ends before. */
  ping(): Promise<number> {
    if (this.#state === "closed") return Promise.reject(this.#error ?? closedError());
    const start = performance.now();
    return new Promise((resolve, reject) => {
      this.#ping(() => {
        if (this.#state === "closed") reject(this.#error ?? closedError());
        else resolve(performance.now() - start);
      });
    });
  }

  /**
   * Takes no further streams, and closes the connection when those that are open have ended. A server says so twice: the
   * requests that were on their way when it said it first are still answered (RFC 9113, section 6.8).
   */
  drain(): void {
    if (this.#state === "draining" || this.#state === "closed") return;
    this.#state = "draining";
    this.#ends();
    for (const stream of this.#queue.splice(0)) stream.abort(closedError());
    if (this.role === "client") {
      this.#sendGoAway(0, ErrorCode.NO_ERROR, "");
      this.#finishDrain();
      return;
    }
    this.#sendGoAway(MAX_STREAM_ID, ErrorCode.NO_ERROR, "");
    let last = (): void => {
      last = () => {};
      if (this.#state !== "draining") return;
      this.#takesUpTo = this.#lastPeerId;
      this.#sendGoAway(this.#lastPeerId, ErrorCode.NO_ERROR, "");
      this.#finishDrain();
    };
    this.#ping(() => last());
    this.#later(LAST_CALL, () => last());
  }

  /** Closes the connection: open streams fail with ERR_HTTP2_CLOSED. */
  close(): void {
    this.#shutdown(undefined, ErrorCode.NO_ERROR, "");
  }

  // StreamHost

  get windowExcess(): number {
    return this.#heeded ? 0 : Math.max(0, DEFAULT_WINDOW - this.streamWindow);
  }

  get maxSendHeaderList(): number {
    return Math.min(this.#peer.maxHeaderListSize, MAX_SEND_HEADER_LIST);
  }

  get maxSendFrame(): number {
    return Math.min(this.#peer.maxFrameSize, MAX_SEND_FRAME);
  }

  sendHeaders(id: number, headers: HeaderList, end: boolean): boolean {
    const size = listSize(headers);
    if (size > this.maxSendHeaderList) return false;
    this.#receiver.progress();
    const bound = encodedBound(size);
    const ending = end ? END_STREAM : 0;
    if (bound <= MIN_MAX_FRAME_SIZE) {
      this.writer.headers(ending | END_HEADERS, id, bound, this.#encoder, headers);
      return true;
    }
    const target = Buffer.allocUnsafe(bound);
    const block = target.subarray(0, this.#encoder.encode(headers, target, 0));
    const most = this.maxSendFrame;
    for (let at = 0; at < block.length; at += most) {
      const type = at === 0 ? HEADERS : CONTINUATION;
      const flags = (at === 0 ? ending : 0) | (at + most >= block.length ? END_HEADERS : 0);
      this.writer.large(type, flags, id, block.subarray(at, at + most));
    }
    return true;
  }

  sendData(id: number, end: boolean, lead: Uint8Array | undefined, chunk: Uint8Array, length: number): void {
    this.sendWindow -= length;
    this.#receiver.progress();
    this.writer.data(id, end, lead, chunk);
  }

  awaitRoom(stream: Stream): void {
    this.#waiting.add(stream);
  }

  release(stream: Stream, own: boolean): void {
    this.#waiting.delete(stream);
    if (stream.id === 0) {
      const at = this.#queue.indexOf(stream);
      if (at >= 0) this.#queue.splice(at, 1);
      return;
    }
    this.#streams.delete(stream.id);
    if (own) {
      this.#resets.add(stream.id);
      if (this.#resets.size > REMEMBERED_RESETS) this.#resets.delete(this.#resets.values().next().value!);
    }
    if (this.#state === "draining") this.#finishDrain();
    else if (this.#queue.length > 0) this.#serveQueue();
  }

  // ReceiverHost

  stream(id: number): Stream | undefined {
    return this.#streams.get(id);
  }

  wasOpened(id: number): boolean {
    if (id % 2 === 0) return false;
    return this.role === "client" ? id < this.#nextId : id <= this.#lastPeerId;
  }

  wasReset(id: number): boolean {
    return this.#resets.has(id);
  }

  accept(id: number): Stream | undefined {
    this.#lastPeerId = id;
    // What this side has said not to process is ignored.
    if (id > this.#takesUpTo || this.#state === "closed") return undefined;
    if (this.#streams.size >= this.#maxConcurrent) {
      this.#resets.add(id);
      this.writer.answers++;
      this.writer.number(RST_STREAM, id, ErrorCode.REFUSED_STREAM);
      return undefined;
    }
    const stream = new Stream(this);
    stream.accept(id, this.#peer.initialWindowSize);
    this.#streams.set(id, stream);
    return stream;
  }

  request(stream: Stream, headers: HeaderList, end: boolean): void {
    let handler: StreamHandler;
    try {
      handler = this.#onStream!(stream, headers, end);
    } catch {
      stream.fail(ErrorCode.INTERNAL_ERROR, "the handler of requests threw");
      return;
    }
    stream.attach(handler);
    if (end) stream.takeEnd();
  }

  settings(payload: Buffer): void {
    const peer = this.#peer;
    const before = peer.initialWindowSize;
    readSettings(payload, peer, this.role === "client" ? "server" : "client");
    // In front of the DATA that larger windows let out.
    this.writer.frame(SETTINGS, ACK, 0, empty);
    this.#encoder.setMaxTableSize(peer.headerTableSize);
    const delta = peer.initialWindowSize - before;
    if (delta !== 0) {
      for (const stream of [...this.#streams.values()]) {
        if (!stream.addWindow(delta)) {
          throw new Http2Error(
            "ERR_HTTP2_PROTOCOL",
            ErrorCode.FLOW_CONTROL_ERROR,
            "FLOW_CONTROL_ERROR: a change of the initial window overflows a stream's",
          );
        }
      }
    }
    if (this.#state === "opening") this.#state = "open";
    this.#markReady();
    this.#serveQueue();
  }

  settingsTaken(): void {
    this.#heeded = true;
  }

  pong(payload: Buffer): void {
    const number = readU32(payload, 4);
    const told = this.#pings.get(number);
    this.#pings.delete(number);
    told?.();
  }

  goAway(lastId: number, code: number, debug: string): void {
    if (this.#state === "closed") return;
    if (code !== ErrorCode.NO_ERROR) {
      const text = debug === "" ? errorName(code) : `${errorName(code)}: ${debug}`;
      this.#error = new Http2Error("ERR_HTTP2_GOAWAY", code, `the peer ended the connection: ${text}`);
    }
    this.#state = "draining";
    this.#ends();
    const refused = new Http2Error(
      "ERR_HTTP2_REFUSED",
      ErrorCode.REFUSED_STREAM,
      this.#error?.message ??
        "the peer did not process the stream: it takes no further ones on this connection",
    );
    if (this.role === "client") {
      for (const stream of this.#queue.splice(0)) stream.abort(refused);
      for (const [id, stream] of [...this.#streams]) if (id > lastId) stream.abort(refused);
    }
    this.#finishDrain();
  }

  addWindow(delta: number): boolean {
    if (this.sendWindow + delta > MAX_WINDOW) return false;
    this.sendWindow += delta;
    this.#serveWaiting();
    return true;
  }

  takeWindow(length: number): boolean {
    if (length > this.#recvWindow) return false;
    this.#recvWindow -= length;
    // Not when it is consumed: one stream that is not read must not hold up the others. Each has its own window.
    const delta = CONNECTION_WINDOW - this.#recvWindow;
    if (delta >= CONNECTION_WINDOW >>> 1) {
      this.#recvWindow += delta;
      this.writer.lazily(WINDOW_UPDATE, 0, delta);
    }
    return true;
  }

  // WriterEvents

  relieved(): void {
    if (this.#paused) {
      this.#paused = false;
      this.#connection.resume();
    }
    this.#serveWaiting();
  }

  #hello(maxConcurrentStreams: number | undefined): void {
    const payload = writeSettings({
      role: this.role,
      maxConcurrentStreams,
      initialWindowSize: this.streamWindow,
      maxFrameSize: MIN_MAX_FRAME_SIZE,
      maxHeaderListSize: this.maxHeaderListSize,
    });
    if (this.role === "client") this.writer.raw(PREFACE);
    this.writer.frame(SETTINGS, 0, 0, payload);
    this.writer.number(WINDOW_UPDATE, 0, CONNECTION_WINDOW - DEFAULT_WINDOW);
  }

  #input(chunk: Buffer, mayKeep: boolean): void {
    if (this.#state === "closed") return;
    this.#heard = true;
    this.#receiver.mayKeep = mayKeep;
    try {
      this.#parser.push(chunk);
    } catch (error) {
      const reason =
        error instanceof Http2Error
          ? error
          : new Http2Error("ERR_HTTP2_PROTOCOL", ErrorCode.INTERNAL_ERROR, "INTERNAL_ERROR", error);
      this.#shutdown(reason, reason.http2Code, reason.message);
      return;
    }
    if (this.writer.pending >= PAUSE_AT && this.writer.congested && !this.#paused) {
      this.#paused = true;
      this.#connection.pause();
    }
  }

  #start(stream: Stream): void {
    const id = this.#nextId;
    // Before its headers: what they bring about must find it.
    if (!stream.start(id, this.#peer.initialWindowSize)) return;
    this.#nextId += 2;
    if (stream.state !== "closed") this.#streams.set(id, stream);
  }

  #serveQueue(): void {
    while (this.#queue.length > 0 && this.#streams.size < this.#peer.maxConcurrentStreams) {
      this.#start(this.#queue.shift()!);
    }
  }

  #ends(): void {
    const listener = this.#onEnding;
    this.#onEnding = undefined;
    listener?.();
  }

  /** By turns, so that a large message does not hold up small ones. */
  #serveWaiting(): void {
    do {
      const waiting = this.#waiting;
      if (waiting.size === 0) return;
      this.#waiting = new Set();
      for (const stream of waiting) stream.room(QUANTUM);
    } while (this.sendWindow > 0 && !this.writer.congested);
  }

  #sendGoAway(lastId: number, code: number, debug: string): void {
    const text = Buffer.from(debug.slice(0, 1024));
    const payload = Buffer.alloc(8 + text.length);
    putU32(payload, 0, lastId);
    putU32(payload, 4, code);
    payload.set(text, 8);
    this.writer.frame(GOAWAY, 0, 0, payload);
  }

  #finishDrain(): void {
    if (this.#state !== "draining" || this.#streams.size > 0) return;
    // A server has one more GOAWAY to send, unless it is the peer that ends.
    if (this.role === "server" && this.#takesUpTo === MAX_STREAM_ID && this.#pings.size > 0) return;
    this.#shutdown(this.#error, undefined, "");
  }

  /** The connection has ended by itself. */
  #lost(cause: Error | undefined): void {
    if (this.#state === "closed") {
      this.#connection.destroy();
      return;
    }
    const message =
      cause === undefined ? "the peer closed the connection" : `connection lost: ${cause.message}`;
    this.#error ??= new Http2Error("ERR_HTTP2_CONNECTION", ErrorCode.NO_ERROR, message, cause);
    this.#shutdown(this.#error, undefined, "");
  }

  /** Ends everything: says why, if there is a code, and closes the connection behind what was sent. */
  #shutdown(error: Http2Error | undefined, code: number | undefined, debug: string): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#error = error;
    this.#ends();
    this.#parser.stop();
    this.#stopKeepalive?.();
    if (code !== undefined) this.#sendGoAway(this.#lastPeerId, code, debug);
    this.writer.close();
    this.#connection.end();
    if (this.#paused) this.#connection.resume();
    this.#later(LINGER, () => this.#connection.destroy());
    const reason = error ?? closedError();
    this.#markFailed(reason);
    for (const told of this.#pings.values()) told();
    this.#pings.clear();
    for (const stream of this.#queue.splice(0)) stream.abort(reason);
    for (const stream of [...this.#streams.values()]) stream.abort(reason);
    this.#waiting.clear();
  }

  #ping(told: () => void): void {
    const payload = Buffer.alloc(8);
    this.#pingCount = (this.#pingCount + 1) >>> 0;
    const number = this.#pingCount;
    putU32(payload, 4, number);
    this.#pings.set(number, told);
    this.writer.frame(PING, 0, 0, payload);
  }

  #keepAlive({ time, timeout }: { readonly time: number; readonly timeout: number }): void {
    const check = (): void => {
      if (this.#heard) {
        this.#heard = false;
        arm(time, check);
        return;
      }
      this.#ping(() => {});
      arm(timeout, () => {
        if (this.#heard) check();
        else {
          const message = `the peer has given no sign of life for ${time + timeout} ms`;
          this.#shutdown(
            new Http2Error("ERR_HTTP2_KEEPALIVE", ErrorCode.NO_ERROR, message),
            0,
            "keepalive timeout",
          );
          this.#connection.destroy();
        }
      });
    };
    const arm = (milliseconds: number, then: () => void): void => {
      this.#stopKeepalive = startTimer(milliseconds, then, false);
    };
    arm(time, check);
  }

  #giveUp(): void {
    if (this.#state !== "opening") return;
    const message = `the client has not begun to speak HTTP/2 within ${PATIENCE} ms`;
    this.#shutdown(new Http2Error("ERR_HTTP2_CONNECTION", ErrorCode.NO_ERROR, message), undefined, "");
    this.#connection.destroy();
  }

  /** A timer that ends with the connection. */
  #later(milliseconds: number, then: () => void): void {
    const stop = startTimer(
      milliseconds,
      () => {
        this.#timers.delete(stop);
        then();
      },
      false,
    );
    this.#timers.add(stop);
  }
}

function closedError(): Http2Error {
  return new Http2Error("ERR_HTTP2_CLOSED", ErrorCode.NO_ERROR, "the connection is closed");
}

const empty = Buffer.alloc(0);
