import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type InPlaceReader, readInPlace } from "../in-place.js";
import { boolean, duplex, object, oneOf } from "../options.js";
import { createTrace } from "../trace.js";
import type { WaitOptions } from "../wait.js";
import type { Channel } from "./channel.js";
import type { ResolvedConfig, SessionConfig } from "./config.js";
import { resolveConfig } from "./config.js";
import { ConnectionEnd } from "./connection-end.js";
import { YamuxError } from "./errors.js";
import { GO_AWAY_NORMAL, GO_AWAY_PROTOCOL_ERROR, PING, SYN } from "./frame.js";
import { surviveHangUp } from "./hang-up.js";
import { Mux } from "./mux.js";
import { FrameParser } from "./parser.js";
import { Pinger } from "./pinger.js";
import { ReadTarget } from "./read-target.js";
import type { Stream } from "./stream.js";
import { Turn } from "./turn.js";
import { FrameWriter } from "./writer.js";

const debug = createTrace("goplug:yamux");

/** Which end of the connection this is: it decides the stream ids, and each side must be one. */
export type Role = "client" | "server";

/**
 * `open`; `localGoAway` (this side takes no new streams), `remoteGoAway` (the peer takes none), `goAway` (both);
 * `closing` (over: what was sent is being written out); `closed` (the connection is gone).
 */
export type SessionState = "open" | "localGoAway" | "remoteGoAway" | "goAway" | "closing" | "closed";

/** The configuration of a session, and which end it is. */
export interface SessionOptions extends SessionConfig {
  /** Which end of the connection this is. */
  role: Role;
}

// Errors that a fatal frame of the peer leads to; it is told of them (Go sends GoAway 1 likewise).
const protocolErrors: ReadonlySet<string> = new Set([
  "ERR_YAMUX_INVALID_VERSION",
  "ERR_YAMUX_INVALID_MSG_TYPE",
  "ERR_YAMUX_DUPLICATE_STREAM",
  "ERR_YAMUX_RECV_WINDOW_EXCEEDED",
  "ERR_YAMUX_SEND_WINDOW_OVERFLOW",
  "ERR_YAMUX_UNEXPECTED_FLAG",
  "ERR_YAMUX_SEND_QUEUE_FULL",
]);

const checkSessionOptions = (options: unknown): void =>
  object("an object with the role", { role: oneOf("client", "server"), enableKeepAlive: boolean }, ["role"])(
    "options",
    options as never,
  );

/**
 * A yamux session: many streams over one connection, any Duplex. It takes the connection over, and destroys it when
 * it ends. Wire-compatible with hashicorp/yamux 0.1.2.
 */
export class Session implements AsyncIterable<Stream>, AsyncDisposable {
  /** Which end of the connection this is. */
  readonly role: Role;
  /** What the session goes by, defaults filled in. */
  readonly config: ResolvedConfig;
  /** Resolves when the session is over and its connection closed; never rejects: see `error`. */
  readonly closed: Promise<void>;
  readonly #conn: Duplex;
  readonly #mux: Mux;
  readonly #writer: FrameWriter;
  readonly #parser: FrameParser;
  readonly #pinger: Pinger;
  readonly #end: ConnectionEnd;
  readonly #turn: Turn;
  #phase: "open" | "closing" | "closed" = "open";
  #error: YamuxError | undefined;
  /** Chunks received so far. */
  #chunks = 0;
  #markClosed!: () => void;

  /** A session on the side that dialled; `client` and `server` differ in stream ids only. */
  static client(conn: Duplex, config: SessionConfig = {}): Session {
    return new Session(conn, { ...config, role: "client" });
  }

  /** A session on the side that listened. */
  static server(conn: Duplex, config: SessionConfig = {}): Session {
    return new Session(conn, { ...config, role: "server" });
  }

  /**
   * @param source of the bytes of a connection that is read through `onread` (see dial). By default a net.Socket that
   * nobody reads yet is read in the same way, and has no `data` events any more; of any other Duplex these are used
   * @throws YamuxError ERR_YAMUX_INVALID_CONFIG; OptionError
   */
  constructor(conn: Duplex, options: SessionOptions, source: InPlaceReader | undefined = undefined) {
    checkSessionOptions(options);
    duplex("conn", conn as never);
    this.role = options.role;
    this.config = resolveConfig(options);
    this.#conn = conn;
    this.#turn = new Turn(conn);
    this.closed = new Promise((resolve) => {
      this.#markClosed = resolve;
    });
    const trace = debug.enabled ? (line: string) => debug("%s %s", this.role, line) : undefined;
    this.#end = new ConnectionEnd(conn, this.config.connectionWriteTimeout);
    this.#pinger = new Pinger(this.config.connectionWriteTimeout, (id) => {
      this.#writer.frame(PING, SYN, 0, id);
    });
    this.#mux = new Mux(
      this.config,
      options.role === "client" ? 1 : 2,
      {
        failed: (error) => this.#finish(error),
        pong: (id) => this.#pinger.pong(id),
        goAwayReceived: () => debug("%s: the peer accepts no more streams", this.role),
      },
      trace,
    );
    this.#writer = new FrameWriter(conn, this.config.connectionWriteTimeout, this.#mux, trace);
    this.#mux.writer = this.#writer;
    this.#parser = new FrameParser(this.#mux);
    const reader = source ?? readInPlace(conn);
    this.#mux.mayKeep = reader === undefined;
    this.#mux.growsWindows = options.maxStreamWindowSize === undefined;
    this.#watch(reader);
    if (this.config.enableKeepAlive) {
      this.#pinger.keepAlive(this.config.keepAliveInterval, (cause) =>
        this.#finish(new YamuxError("ERR_YAMUX_KEEPALIVE_TIMEOUT", { cause })),
      );
    }
  }

  /** Where the session stands. */
  get state(): SessionState {
    if (this.#phase !== "open") return this.#phase;
    const { localGoAway, remoteGoAway } = this.#mux;
    if (localGoAway) return remoteGoAway ? "goAway" : "localGoAway";
    return remoteGoAway ? "remoteGoAway" : "open";
  }

  /** What the session ended with; undefined while it lives, and after close(). */
  get error(): YamuxError | undefined {
    return this.#error;
  }

  /** Streams that are not over, including those not accepted yet. */
  get numStreams(): number {
    return this.#mux.size;
  }

  /**
   * Opens a stream without waiting for the peer to accept it, as Go does; waits only while `acceptBacklog` streams
   * are unaccepted.
   * @throws YamuxError ERR_YAMUX_REMOTE_GO_AWAY, ERR_YAMUX_SESSION_SHUTDOWN, ERR_YAMUX_STREAMS_EXHAUSTED; AbortedError, TimeoutError
   */
  async open(options: WaitOptions = {}): Promise<Stream> {
    return this.#mux.toDuplex(await this.#mux.open(options));
  }

  /** open() for the direct path. */
  openChannel(options: WaitOptions = {}): Promise<Channel> {
    return this.#mux.open(options);
  }

  /**
   * Waits for the peer's next stream.
   * @throws YamuxError: what the session ended with, or ERR_YAMUX_SESSION_SHUTDOWN after close(); AbortedError, TimeoutError
   */
  async accept(options: WaitOptions = {}): Promise<Stream> {
    return this.#mux.toDuplex(await this.#mux.accept(options));
  }

  /** accept() for the direct path. */
  acceptChannel(options: WaitOptions = {}): Promise<Channel> {
    return this.#mux.accept(options);
  }

  /** Incoming streams, until close() or the peer's end; throws when the session ends otherwise. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Stream, void, undefined> {
    for (;;) {
      let stream: Stream;
      try {
        stream = await this.accept();
      } catch (error) {
        if (this.#error === undefined || this.#error.code === "ERR_YAMUX_EOF") return;
        throw error;
      }
      yield stream;
    }
  }

  /**
   * Measures a round trip, in milliseconds.
   * @throws YamuxError ERR_YAMUX_TIMEOUT after connectionWriteTimeout, ERR_YAMUX_SESSION_SHUTDOWN; AbortedError, TimeoutError
   */
  ping(options: WaitOptions = {}): Promise<number> {
    if (this.#phase !== "open") return Promise.reject(this.#shutdownError());
    return this.#pinger.ping(options);
  }

  /**
   * Tells the peer to open no more streams; those it opens all the same are reset. Existing streams go on.
   * @throws YamuxError ERR_YAMUX_SESSION_SHUTDOWN
   */
  goAway(): void {
    if (this.#phase !== "open") throw this.#shutdownError();
    this.#mux.sendGoAway(GO_AWAY_NORMAL);
  }

  /**
   * Ends the session and all its streams. Frames sent before still go out, within connectionWriteTimeout; as in Go,
   * no GoAway is sent. Resolves when the connection is closed.
   */
  close(): Promise<void> {
    this.#finish(undefined);
    return this.closed;
  }

  /** `close()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #shutdownError(): YamuxError {
    return new YamuxError("ERR_YAMUX_SESSION_SHUTDOWN", { cause: this.#error });
  }

  #watch(reader: InPlaceReader | undefined): void {
    const conn = this.#conn;
    surviveHangUp(conn, (cause) => this.#hungUp(cause));
    conn.on("error", (cause) => this.#connectionFailed(cause));
    conn.on("end", () => this.#connectionEnded());
    conn.on("close", () => {
      this.#connectionEnded();
      this.#phase = "closed";
      this.#end.done();
      this.#markClosed();
    });
    // As Go does for TCP: small frames must not wait for each other.
    if (conn instanceof Socket) conn.setNoDelay(true);
    if (reader === undefined) conn.on("data", this.#take);
    else {
      const target = new ReadTarget(this.#parser, this.#mux);
      const take = (chunk: Buffer): void => {
        this.#mux.mayKeep = target.isOwn(chunk);
        this.#take(chunk);
      };
      reader(take, () => target.next());
    }
    if (conn.destroyed) {
      process.nextTick(() => {
        this.#connectionEnded();
        this.#phase = "closed";
        this.#markClosed();
      });
    }
  }

  readonly #take = (chunk: Buffer): void => {
    if (this.#phase !== "open") return;
    this.#chunks++;
    const frames = this.#mux.frames;
    try {
      this.#parser.push(chunk);
      this.#turn.took(chunk.length, this.#mux.frames - frames);
    } catch (error) {
      this.#finish(
        error instanceof YamuxError ? error : new YamuxError("ERR_YAMUX_CONNECTION_FAILED", { cause: error }),
      );
    }
  };

  #connectionFailed(cause: unknown): void {
    this.#finish(new YamuxError("ERR_YAMUX_CONNECTION_FAILED", { cause }));
    this.#conn.destroy();
  }

  // Nobody reads any more what this side writes; what the peer wrote is still read, up to its end.
  #hungUp(cause: Error): void {
    if (this.#phase !== "open") {
      this.#conn.destroy();
      return;
    }
    this.#writer.abandon();
    const overdue = (): void => {
      this.#finish(new YamuxError("ERR_YAMUX_EOF", { cause }));
      this.#conn.destroy();
    };
    this.#end.await(() => this.#chunks, overdue);
  }

  #connectionEnded(): void {
    this.#finish(new YamuxError(this.#parser.atBoundary ? "ERR_YAMUX_EOF" : "ERR_YAMUX_UNEXPECTED_EOF"));
  }

  /** The one way a session ends: `error` is undefined when its own side closed it. */
  #finish(error: YamuxError | undefined): void {
    if (this.#phase !== "open") return;
    this.#phase = "closing";
    this.#error = error;
    debug("%s: session over: %s", this.role, error?.message ?? "closed");
    this.#parser.stop();
    if (error !== undefined && protocolErrors.has(error.code)) this.#mux.sendGoAway(GO_AWAY_PROTOCOL_ERROR);
    const reason = this.#shutdownError();
    // What streams still had to send is lost with their window; what was queued goes out.
    this.#writer.close();
    this.#mux.shutdown(error ?? reason, reason);
    this.#pinger.stop(reason);
    this.#end.close();
  }
}
