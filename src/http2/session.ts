import { createTrace } from "../trace.js";
import type { Connection } from "./connection.js";
import { ErrorCode, Http2Error } from "./errors.js";
import { FloodGuard } from "./flood-guard.js";
import {
  ACK,
  DEFAULT_WINDOW,
  GOAWAY,
  MAX_STREAM_ID,
  MIN_MAX_FRAME_SIZE,
  PING,
  PREFACE,
  SETTINGS,
  WINDOW_UPDATE,
} from "./frame.js";
import { describeGoAway, type GoAway, writeGoAway } from "./goaway.js";
import type { HeaderList } from "./hpack-decoder.js";
import { Intake, type OnStream } from "./intake.js";
import { Keepalive } from "./keepalive.js";
import { Outgoing } from "./outgoing.js";
import { FrameParser } from "./parser.js";
import { Pings } from "./pings.js";
import { PlaceQueue } from "./place-queue.js";
import { CONNECTION_WINDOW } from "./receive-window.js";
import { Receiver, type ReceiverHost } from "./receiver.js";
import type { SessionOptions } from "./session-options.js";
import { writeSettings } from "./settings.js";
import type { Stream, StreamHost } from "./stream.js";
import type { StreamHandler } from "./stream-handler.js";
import { Streams } from "./streams.js";
import { Timers } from "./timers.js";
import { FrameWriter, type WriterEvents } from "./writer.js";

/**
 * `opening` until the peer's SETTINGS are there; `draining` once either side has said that it takes no further streams;
 * `closed` when all streams are over and nothing is sent any more.
 */
export type SessionState = "opening" | "open" | "draining" | "closed";

const trace = createTrace("goplug:http2");

/** The input waits as long as so much output does. */
const PAUSE_AT = 32 * 1024 * 1024;
/**
 * What is taken in one turn of the event loop, in bytes; beyond that the peer waits for the next turn, so that one that
 * sends without end holds up neither timers nor other connections.
 */
const TURN_WORK = 4 * 1024 * 1024;
/** A frame means as much work as this many bytes, whatever it carries. */
const FRAME_WORK = 1024;
/** Milliseconds that the peer has to close a connection after this side has. */
const LINGER = 1000;
/** Milliseconds after the first GOAWAY of a drain in which new streams are still taken, if the peer does not answer. */
const LAST_CALL = 1000;
/** Milliseconds in which a client must have said who it is (grpc-go: ConnectionTimeout). */
const PATIENCE = 120_000;
const EMPTY = Buffer.alloc(0);

/** An HTTP/2 connection, in either role, over any {@link Connection}. */
export class Session implements StreamHost, ReceiverHost, WriterEvents {
  readonly role: "client" | "server";
  /** Resolves when the peer's SETTINGS are there. Rejects with the reason when the connection fails before. */
  readonly ready: Promise<void>;
  /** Resolves when the connection is closed. */
  readonly closed: Promise<void>;
  /** @internal */
  readonly streamWindow: number;
  /** @internal */
  readonly maxHeaderListSize: number;
  /** @internal */
  readonly streams = new Streams();
  /** @internal */
  readonly guard: FloodGuard;
  /** @internal */
  readonly out: Outgoing;
  /** @internal A server's. */
  readonly intake: Intake | undefined;

  readonly #connection: Connection;
  readonly #writer: FrameWriter;
  readonly #parser: FrameParser;
  readonly #receiver: Receiver;
  readonly #pings: Pings;
  readonly #keepalive: Keepalive | undefined;
  readonly #timers = new Timers();
  readonly #queue: PlaceQueue;
  #state: SessionState = "opening";
  #error: Http2Error | undefined;
  /** The latest that the peer has said of its end. */
  #goAway: GoAway | undefined;
  /** The last of a client's streams whose header fields the connection was handed. */
  #handedId = 0;
  /** The peer does not read, and is not read from until it does. */
  #paused = false;
  /** What was taken since the peer last had to wait for a turn, and whether it waits now. */
  #work = 0;
  #givesWay = false;
  /** The peer has acknowledged this side's SETTINGS. */
  #heeded = false;
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
    this.streamWindow = options.streamWindow ?? 1024 * 1024;
    this.maxHeaderListSize = options.maxHeaderListSize ?? 16 * 1024 * 1024;
    const line = trace.enabled ? (text: string) => trace(`${role} ${text}`) : undefined;
    const writer = new FrameWriter(connection, this, line);
    this.#writer = writer;
    this.guard = new FloodGuard(writer);
    this.out = new Outgoing(writer, this.guard, options.oneOff);
    const { streams, out } = this;
    this.#queue = new PlaceQueue(this, streams, out);
    if (onStream !== undefined)
      this.intake = new Intake(this, streams, out, onStream, options.maxConcurrentStreams ?? Infinity);
    this.#pings = new Pings((payload) => writer.frame(PING, 0, 0, payload));
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
    if (role === "server") this.#timers.start(PATIENCE, () => this.#giveUp());
    if (options.keepalive !== undefined) {
      this.#keepalive = new Keepalive(options.keepalive, {
        ask: () => this.#pings.ping(() => {}),
        silent: (milliseconds) => this.#peerIsSilent(milliseconds),
      });
    }
    connection.attach({
      onData: (chunk, mayKeep) => this.#input(chunk, mayKeep),
      onEnd: () => this.#lost(undefined),
      onClose: (error) => {
        this.#lost(error);
        this.#timers.stop();
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
    return this.streams.size;
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
    if (this.#state === "draining") {
      const message = "the peer takes no further streams on this connection";
      throw new Http2Error("ERR_HTTP2_REFUSED", ErrorCode.REFUSED_STREAM, message);
    }
    const stream = this.#queue.open(headers, handler);
    if (this.streams.runOut) this.drain();
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
      this.#pings.ping(() => {
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
    this.#queue.abort(closedError());
    if (this.role === "client") {
      this.#sendGoAway(0, ErrorCode.NO_ERROR, "");
      this.#finishDrain();
      return;
    }
    this.#sendGoAway(MAX_STREAM_ID, ErrorCode.NO_ERROR, "");
    this.#pings.ping(() => this.#lastCall());
    this.#timers.start(LAST_CALL, () => this.#lastCall());
  }

  /** Closes the connection: open streams fail with ERR_HTTP2_CLOSED. */
  close(): void {
    this.#shutdown(undefined, ErrorCode.NO_ERROR, "");
  }

  // StreamHost

  /** @internal */
  get windowExcess(): number {
    return this.#heeded ? 0 : Math.max(0, DEFAULT_WINDOW - this.streamWindow);
  }

  /** @internal */
  release(stream: Stream, own: boolean): void {
    if (stream.id === 0) {
      this.#queue.forget(stream);
      return;
    }
    this.streams.delete(stream.id);
    if (own) this.streams.rememberReset(stream.id);
    if (this.#state === "draining") this.#finishDrain();
    else this.#queue.serve();
  }

  // ReceiverHost

  /** @internal */
  settings(payload: Buffer): void {
    const delta = this.out.settings(payload, this.role === "client" ? "server" : "client");
    // In front of the DATA that larger windows let out.
    this.#writer.frame(SETTINGS, ACK, 0, EMPTY);
    if (delta !== 0) this.#changeWindows(delta);
    if (this.#state === "opening") this.#state = "open";
    this.#markReady();
    this.#queue.serve();
  }

  /** @internal */
  settingsTaken(): void {
    this.#heeded = true;
  }

  /** @internal */
  pong(payload: Buffer): void {
    this.#pings.pong(payload);
  }

  /** @internal */
  goAway(goAway: GoAway): void {
    if (this.#state === "closed") return;
    const { lastId, code } = goAway;
    this.#goAway = goAway;
    if (code !== ErrorCode.NO_ERROR) {
      const message = `the peer ended the connection: ${describeGoAway(goAway)}`;
      this.#error = new Http2Error("ERR_HTTP2_GOAWAY", code, message);
    }
    this.#state = "draining";
    this.#ends();
    if (this.role === "client") {
      const message =
        this.#error?.message ??
        "the peer did not process the stream: it takes no further ones on this connection";
      const refused = new Http2Error("ERR_HTTP2_REFUSED", ErrorCode.REFUSED_STREAM, message);
      this.#queue.abort(refused);
      for (const stream of this.streams) if (stream.id > lastId) stream.abort(refused);
    }
    this.#finishDrain();
  }

  // WriterEvents

  /** @internal */
  relieved(): void {
    if (this.#paused) {
      this.#paused = false;
      if (!this.#givesWay) this.#connection.resume();
    }
    this.out.serve();
  }

  /** @internal */
  handedOver(): void {
    this.#handedId = this.streams.lastId;
  }

  #hello(maxConcurrentStreams: number | undefined): void {
    const payload = writeSettings({
      role: this.role,
      maxConcurrentStreams,
      initialWindowSize: this.streamWindow,
      maxFrameSize: MIN_MAX_FRAME_SIZE,
      maxHeaderListSize: this.maxHeaderListSize,
    });
    if (this.role === "client") this.#writer.raw(PREFACE);
    this.#writer.frame(SETTINGS, 0, 0, payload);
    this.#writer.number(WINDOW_UPDATE, 0, CONNECTION_WINDOW - DEFAULT_WINDOW);
  }

  #input(chunk: Buffer, mayKeep: boolean): void {
    if (this.#state === "closed") return;
    this.#keepalive?.heard();
    this.#receiver.mayKeep = mayKeep;
    const { frames } = this.#parser;
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
    if (this.#writer.pending >= PAUSE_AT && this.#writer.congested && !this.#paused) {
      this.#paused = true;
      this.#connection.pause();
    }
    this.#work += chunk.length + (this.#parser.frames - frames) * FRAME_WORK;
    if (this.#work >= TURN_WORK && !this.#givesWay) {
      this.#work = 0;
      this.#givesWay = true;
      this.#connection.pause();
      setImmediate(this.#goOn);
    }
  }

  readonly #goOn = (): void => {
    this.#givesWay = false;
    if (!this.#paused) this.#connection.resume();
  };

  #changeWindows(delta: number): void {
    for (const stream of this.streams) {
      if (stream.addWindow(delta)) continue;
      const message = "FLOW_CONTROL_ERROR: a change of the initial window overflows a stream's";
      throw new Http2Error("ERR_HTTP2_PROTOCOL", ErrorCode.FLOW_CONTROL_ERROR, message);
    }
  }

  #ends(): void {
    const listener = this.#onEnding;
    this.#onEnding = undefined;
    listener?.();
  }

  #sendGoAway(lastId: number, code: number, debug: string): void {
    this.#writer.frame(GOAWAY, 0, 0, writeGoAway({ lastId, code, debug }));
  }

  /** The client has heard that the server drains, or had the time to: the requests that are not here now come too late. */
  #lastCall(): void {
    if (this.#state !== "draining" || !this.intake?.isOpen) return;
    this.#sendGoAway(this.intake.close(), ErrorCode.NO_ERROR, "");
    this.#finishDrain();
  }

  #finishDrain(): void {
    if (this.#state !== "draining" || this.streams.size > 0) return;
    // A server has one more GOAWAY to send, unless it is the peer that ends.
    if (this.intake?.isOpen && this.#pings.size > 0) return;
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
    const before = this.#goAway === undefined ? "" : `, after a GOAWAY: ${describeGoAway(this.#goAway)}`;
    this.#error ??= new Http2Error("ERR_HTTP2_CONNECTION", ErrorCode.NO_ERROR, message + before, cause);
    // Nobody could tell whether a server still reads what would go out now.
    if (this.role === "client") this.#writer.drop();
    this.#shutdown(this.#error, undefined, "");
  }

  /** Ends everything: says why, if there is a code, and closes the connection behind what was sent. */
  #shutdown(error: Http2Error | undefined, code: number | undefined, debug: string): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#error = error;
    this.#ends();
    this.#parser.stop();
    this.#keepalive?.stop();
    if (code !== undefined) {
      this.#sendGoAway(this.role === "server" ? this.streams.lastId : 0, code, debug);
    }
    this.#writer.close();
    this.#connection.end();
    // For its end to be told.
    this.#paused = false;
    this.#connection.resume();
    this.#timers.start(LINGER, () => this.#connection.destroy());
    const reason = error ?? closedError();
    this.#markFailed(reason);
    this.#pings.end();
    this.#queue.abort(reason);
    for (const stream of this.streams) stream.abort(this.#wasSent(stream) ? reason : unprocessed(reason));
    this.out.end();
  }

  /** Whether the server may know of a client's stream. */
  #wasSent(stream: Stream): boolean {
    return this.role === "server" || stream.id <= this.#handedId;
  }

  #peerIsSilent(milliseconds: number): void {
    const message = `the peer has given no sign of life for ${milliseconds} ms`;
    const error = new Http2Error("ERR_HTTP2_KEEPALIVE", ErrorCode.NO_ERROR, message);
    this.#shutdown(error, ErrorCode.NO_ERROR, "keepalive timeout");
    this.#connection.destroy();
  }

  #giveUp(): void {
    if (this.#state !== "opening") return;
    const message = `the client has not begun to speak HTTP/2 within ${PATIENCE} ms`;
    this.#shutdown(new Http2Error("ERR_HTTP2_CONNECTION", ErrorCode.NO_ERROR, message), undefined, "");
    this.#connection.destroy();
  }
}

/** The connection has ended before the stream's header fields went out. */
function unprocessed(cause: Http2Error): Http2Error {
  return new Http2Error("ERR_HTTP2_REFUSED", ErrorCode.REFUSED_STREAM, cause.message, cause);
}

function closedError(): Http2Error {
  return new Http2Error("ERR_HTTP2_CLOSED", ErrorCode.NO_ERROR, "the connection is closed");
}
