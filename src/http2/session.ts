import { createTrace } from "../trace.js";
import type { Connection } from "./connection.js";
import { MAX_RECEIVE_FRAME, sendConnectionPreface } from "./connection-preface.js";
import { connectionError, ErrorCode, Http2Error } from "./errors.js";
import { FloodGuard } from "./flood-guard.js";
import { ACK, DEFAULT_WINDOW, GOAWAY, MAX_STREAM_ID, PING, SETTINGS } from "./frame.js";
import { type GoAway, writeGoAway } from "./goaway.js";
import type { HeaderList } from "./hpack-decoder.js";
import { Intake, type OnStream } from "./intake.js";
import { Keepalive } from "./keepalive.js";
import { LastCall } from "./last-call.js";
import { Lifecycle, type SessionState } from "./lifecycle.js";
import { Outgoing } from "./outgoing.js";
import { FrameParser } from "./parser.js";
import { Pings } from "./pings.js";
import { PlaceQueue } from "./place-queue.js";
import { ReadPauses } from "./read-pauses.js";
import { Receiver, type ReceiverHost } from "./receiver.js";
import * as failure from "./session-errors.js";
import type { SessionOptions } from "./session-options.js";
import type { Stream, StreamHost } from "./stream.js";
import type { StreamHandler } from "./stream-handler.js";
import { Streams } from "./streams.js";
import { Timers } from "./timers.js";
import { FrameWriter, type WriterEvents } from "./writer.js";

const trace = createTrace("goplug:http2");

/** Milliseconds that the peer has to close a connection after this side has. */
const LINGER = 1000;
/** Milliseconds in which a client must have said who it is (grpc-go: ConnectionTimeout). */
const PATIENCE = 120_000;
const EMPTY = Buffer.alloc(0);

/** An HTTP/2 connection, in either role, over any {@link Connection}. */
export class Session implements StreamHost, ReceiverHost, WriterEvents {
  readonly role: "client" | "server";
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

  readonly #life = new Lifecycle();
  readonly #connection: Connection;
  readonly #writer: FrameWriter;
  readonly #parser: FrameParser;
  readonly #receiver: Receiver;
  readonly #pauses: ReadPauses;
  readonly #pings: Pings;
  readonly #keepalive: Keepalive | undefined;
  readonly #timers = new Timers();
  /** A client's. */
  readonly #queue: PlaceQueue;
  /** A server's. */
  readonly #lastCall: LastCall | undefined;
  /** The latest that the peer has said of its end. */
  #goAway: GoAway | undefined;
  /** The peer has acknowledged this side's SETTINGS. */
  #heeded = false;

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
    this.#pauses = new ReadPauses(connection, writer);
    this.guard = new FloodGuard(writer);
    this.out = new Outgoing(writer, this.guard, options.oneOff);
    const { streams, out } = this;
    this.#pings = new Pings((payload) => writer.frame(PING, 0, 0, payload));
    this.#queue = new PlaceQueue(this, streams, out);
    if (onStream !== undefined) {
      this.intake = new Intake(this, streams, out, onStream, options.maxConcurrentStreams ?? Infinity);
      this.#lastCall = new LastCall(this.#pings, this.#timers, () => this.#lastCallIsOver());
    }
    this.#receiver = new Receiver(this, line);
    this.#parser = new FrameParser(this.#receiver, MAX_RECEIVE_FRAME, role === "server");
    sendConnectionPreface(writer, {
      role,
      maxConcurrentStreams: options.maxConcurrentStreams,
      initialWindowSize: this.streamWindow,
      maxHeaderListSize: this.maxHeaderListSize,
    });
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
        this.#life.end();
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
    return this.#life.state;
  }

  /** Resolves when the peer's SETTINGS are there. Rejects with the reason when the connection fails before. */
  get ready(): Promise<void> {
    return this.#life.ready;
  }

  /** Resolves when the connection is closed. */
  get closed(): Promise<void> {
    return this.#life.gone;
  }

  /** Why the session is closed; undefined as long as it is not, and after a `close` or a clean end. */
  get error(): Http2Error | undefined {
    return this.#life.error;
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
    this.#life.checkOpen();
    const stream = this.#queue.open(headers, handler);
    if (this.streams.runOut) this.drain();
    return stream;
  }

  /** Calls back once, as soon as no further stream can be opened: before the streams that fail by it are told. */
  onEnding(listener: () => void): void {
    this.#life.onEnding(listener);
  }

  /** Resolves with the milliseconds that the peer took to answer; rejects when the connection ends before. */
  ping(): Promise<number> {
    if (this.#life.isClosed) return Promise.reject(this.#life.reason);
    return this.#pings.roundTrip();
  }

  /**
   * Takes no further streams, and closes the connection when those that are open have ended. A server says so twice: the
   * requests that were on their way when it said it first are still answered (RFC 9113, section 6.8).
   */
  drain(): void {
    if (this.#life.isDraining || this.#life.isClosed) return;
    this.#life.drain();
    this.#queue.abort(failure.closed());
    this.#sendGoAway(this.role === "server" ? MAX_STREAM_ID : 0, ErrorCode.NO_ERROR, "");
    this.#lastCall?.begin();
    this.#finishDrain();
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
    if (this.#life.isDraining) this.#finishDrain();
    else this.#queue.serve();
  }

  // ReceiverHost

  /** @internal */
  settings(payload: Buffer): void {
    const delta = this.out.settings(payload, this.role === "client" ? "server" : "client");
    // In front of the DATA that larger windows let out.
    this.#writer.frame(SETTINGS, ACK, 0, EMPTY);
    if (delta !== 0) this.#changeWindows(delta);
    this.#life.open();
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
    if (this.#life.isClosed) return;
    this.#goAway = goAway;
    if (goAway.code !== ErrorCode.NO_ERROR) this.#life.error = failure.endedByPeer(goAway);
    this.#life.drain();
    if (this.role === "client") {
      const refused = failure.notProcessed(this.#life.error);
      this.#queue.abort(refused);
      for (const stream of this.streams) if (stream.id > goAway.lastId) stream.abort(refused);
    }
    this.#finishDrain();
  }

  // WriterEvents

  /** @internal */
  relieved(): void {
    this.#pauses.relieved();
    this.out.serve();
  }

  /** @internal */
  handedOver(): void {
    this.streams.handedOver();
  }

  #input(chunk: Buffer, mayKeep: boolean): void {
    if (this.#life.isClosed) return;
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
    this.#pauses.took(chunk.length, this.#parser.frames - frames);
  }

  #changeWindows(delta: number): void {
    for (const stream of this.streams) {
      if (stream.addWindow(delta)) continue;
      const message = "a change of the initial window overflows a stream's";
      throw connectionError(ErrorCode.FLOW_CONTROL_ERROR, message);
    }
  }

  #sendGoAway(lastId: number, code: number, debug: string): void {
    this.#writer.frame(GOAWAY, 0, 0, writeGoAway({ lastId, code, debug }));
  }

  /** A server: the requests that are not here now come too late. */
  #lastCallIsOver(): void {
    if (!this.#life.isDraining) return;
    this.#sendGoAway(this.intake!.close(), ErrorCode.NO_ERROR, "");
    this.#finishDrain();
  }

  #finishDrain(): void {
    if (!this.#life.isDraining || this.streams.size > 0 || this.#lastCall?.isRunning) return;
    this.#shutdown(this.#life.error, undefined, "");
  }

  /** The connection has ended by itself. */
  #lost(cause: Error | undefined): void {
    if (this.#life.isClosed) {
      this.#connection.destroy();
      return;
    }
    // Nobody could tell whether a server still reads what would go out now.
    if (this.role === "client") this.#writer.drop();
    this.#shutdown(this.#life.error ?? failure.lost(cause, this.#goAway), undefined, "");
  }

  /** Ends everything: says why, if there is a code, and closes the connection behind what was sent. */
  #shutdown(error: Http2Error | undefined, code: number | undefined, debug: string): void {
    if (this.#life.isClosed) return;
    this.#life.close(error);
    this.#parser.stop();
    this.#keepalive?.stop();
    if (code !== undefined) {
      this.#sendGoAway(this.role === "server" ? this.streams.lastId : 0, code, debug);
    }
    this.#writer.close();
    this.#connection.end();
    this.#pauses.end();
    this.#timers.start(LINGER, () => this.#connection.destroy());
    const { reason } = this.#life;
    this.#pings.end(reason);
    this.#queue.abort(reason);
    for (const stream of this.streams) {
      const mayBeKnown = this.role === "server" || this.streams.wasHandedOver(stream.id);
      stream.abort(mayBeKnown ? reason : failure.notSent(reason));
    }
    this.out.end();
  }

  #peerIsSilent(milliseconds: number): void {
    this.#shutdown(failure.silent(milliseconds), ErrorCode.NO_ERROR, "keepalive timeout");
    this.#connection.destroy();
  }

  #giveUp(): void {
    if (this.#life.state !== "opening") return;
    this.#shutdown(failure.neverBegun(PATIENCE), undefined, "");
    this.#connection.destroy();
  }
}
