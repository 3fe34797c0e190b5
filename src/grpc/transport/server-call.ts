import type { Deadline, Metadata, ServerInterceptingCallInterface } from "@grpc/grpc-js";
import { thrownText } from "../../errors.js";
import { keepFreedMemory } from "../../freed-memory.js";
import {
  type HeaderList,
  type Http2Error,
  listSize,
  type Stream,
  type StreamHandler,
} from "../../http2/index.js";
import { startTimer } from "../../wait.js";
import type { CallLimits } from "./client-call.js";
import { ACCEPTED_ENCODINGS, MessageError, tooLarge } from "./compression.js";
import { Inbox, type InboxOwner } from "./inbox.js";
import { messageHeader } from "./message-reader.js";
import { type AnyMetadata, appendMetadata, type MetadataClass, readMetadata } from "./metadata.js";
import type { PartialStatusObject } from "./server-surface.js";
import { Code, encodeMessage, fieldOf } from "./status.js";
import { decodeTimeout } from "./timeout.js";

export type ServerListener = Parameters<ServerInterceptingCallInterface["start"]>[0];
type AuthContext = ReturnType<ServerInterceptingCallInterface["getAuthContext"]>;
type ConnectionInfo = ReturnType<ServerInterceptingCallInterface["getConnectionInfo"]>;
type MetricsRecorder = ReturnType<ServerInterceptingCallInterface["getMetricsRecorder"]>;

/** A method as its calls know it. */
export interface ServerMethod {
  readonly serialize: (value: never) => Buffer;
  readonly deserialize: (bytes: Buffer) => unknown;
  /** Whether there is one answer: it goes out with its status, whatever the peer's window. */
  readonly singleAnswer: boolean;
  /** Whether a message counts as sent when the operating system has it, and not when it is queued. */
  readonly untilTaken: boolean;
  /** What the handler takes for metadata: goplug's class, or grpc-js's, which is undefined until it is loaded. */
  Metadata: MetadataClass<AnyMetadata> | undefined;
  /** Handles a call: its stream can be answered from now on. */
  readonly begin: (call: OwnServerCall) => void;
}

/** What a server's call knows of its connection. */
export interface ServerConnection {
  readonly limits: CallLimits;
  readonly peer: string;
  readonly info: ConnectionInfo;
  authContext(): AuthContext;
  /** Whether the operating system has all that was written. */
  isFlushed(): boolean;
}

/** Header fields that are not the handler's business. */
const connectionFields = ["grpc-timeout", "te", "content-type", "accept-encoding"];
const RESPONSE: HeaderList = [":status", "200", "content-type", "application/grpc"];

/** A call on a server: what grpc-js's server interceptors, and its handlers under them, speak to. */
export class OwnServerCall implements ServerInterceptingCallInterface, StreamHandler, InboxOwner {
  readonly #stream: Stream;
  readonly #method: ServerMethod;
  readonly #connection: ServerConnection;
  readonly #inbox: Inbox;
  readonly #host: string;
  readonly #headers: HeaderList;
  readonly #deadline: number;
  /** How long the message was that came last, as it was before it was read. */
  lastBytes = 0;
  /** What interceptors have made of the call: handlers speak to it. */
  outermost: ServerInterceptingCallInterface = this;
  #listener: ServerListener | undefined;
  #stopTimer: (() => void) | undefined;
  #metadataSent = false;
  #cancelled = false;
  #told = false;
  #drained: (() => void)[] | undefined;

  constructor(stream: Stream, headers: HeaderList, method: ServerMethod, connection: ServerConnection) {
    this.#stream = stream;
    this.#method = method;
    this.#connection = connection;
    this.#headers = headers;
    this.#inbox = new Inbox(connection.limits.maxReceive, this);
    this.#inbox.encoding = fieldOf(headers, "grpc-encoding");
    this.#host = fieldOf(headers, ":authority") ?? fieldOf(headers, "host") ?? "";
    const timeout = fieldOf(headers, "grpc-timeout");
    this.#deadline = timeout === undefined ? Infinity : this.#limit(timeout);
  }

  // ServerInterceptingCallInterface

  start(listener: ServerListener): void {
    if (this.#cancelled) return;
    this.#listener = listener;
    listener.onReceiveMetadata(this.receivedMetadata());
  }

  /** As `start`, but the metadata is not told: whoever wants it reads it from the call. */
  startLazily(listener: ServerListener): void {
    if (this.#cancelled) return;
    this.#listener = listener;
    this.startRead();
  }

  /** A new object each time. */
  receivedMetadata(): Metadata {
    const metadata = readMetadata(this.#headers, this.#method.Metadata!);
    for (const name of connectionFields) metadata.remove(name);
    return metadata as Metadata;
  }

  startRead(): void {
    if (!this.#cancelled) this.#inbox.read();
  }

  sendMetadata(metadata: Metadata | null): void {
    if (this.#cancelled || this.#metadataSent) return;
    this.#metadataSent = true;
    const headers: HeaderList = [...RESPONSE, "grpc-accept-encoding", ACCEPTED_ENCODINGS];
    if (metadata) appendMetadata(headers, metadata);
    this.#stream.respond(headers, false);
  }

  sendMessage(message: unknown, callback: () => void): void {
    if (this.#cancelled) return;
    let bytes: Buffer;
    try {
      bytes = this.#method.serialize(message as never);
    } catch (error) {
      // grpc-js's words.
      const details = `Error serializing response: ${thrownText(error)}`;
      this.sendStatus({ code: Code.INTERNAL, details });
      return;
    }
    const { maxSend } = this.#connection.limits;
    if (bytes.length > maxSend) {
      const error = tooLarge("Attempted to send message with a size larger than max", bytes.length, maxSend);
      this.sendStatus({ code: error.status, details: error.message });
      return;
    }
    keepFreedMemory(bytes.length);
    if (!this.#metadataSent) this.sendMetadata(null);
    const goOn = this.#stream.write(bytes, messageHeader(bytes.length, false));
    const { singleAnswer, untilTaken } = this.#method;
    const sent = untilTaken ? () => this.#stream.afterFlush(callback) : callback;
    if (goOn || singleAnswer) sent();
    else if (this.#drained === undefined) this.#drained = [sent];
    else this.#drained.push(sent);
  }

  /** Whether the messages so far have left the process: for its end, when no callback comes any more. */
  hasSent(): boolean {
    return !this.#stream.isBlocked && this.#connection.isFlushed();
  }

  sendStatus(status: PartialStatusObject): void {
    if (this.#cancelled) return;
    let trailers = this.#trailers(status);
    const size = listSize(trailers);
    if (size > this.#stream.maxHeaderList) {
      const details = `the status and its metadata, ${size} bytes, are more than the ${this.#stream.maxHeaderList} that the client takes`;
      trailers = this.#trailers({ code: Code.INTERNAL, details });
    }
    this.#inbox.close();
    if (this.#metadataSent) this.#stream.end(trailers, true);
    else this.#stream.respond(trailers, true, true);
    this.#ends();
  }

  getPeer(): string {
    return this.#connection.peer;
  }

  getDeadline(): Deadline {
    return this.#deadline;
  }

  getHost(): string {
    return this.#host;
  }

  getAuthContext(): AuthContext {
    return this.#connection.authContext();
  }

  getConnectionInfo(): ConnectionInfo {
    return this.#connection.info;
  }

  getMetricsRecorder(): MetricsRecorder {
    return noMetrics as unknown as MetricsRecorder;
  }

  // InboxOwner

  onMessage(bytes: Buffer): void {
    this.lastBytes = bytes.length;
    let message: unknown;
    try {
      message = this.#method.deserialize(bytes);
    } catch {
      this.sendStatus({ code: Code.INTERNAL, details: "Error deserializing request" });
      return;
    }
    this.#listener?.onReceiveMessage(message);
  }

  onLast(): void {
    this.#listener?.onReceiveHalfClose();
  }

  consumed(bytes: number): void {
    this.#stream.consumed(bytes);
  }

  // StreamHandler

  onAttached(): void {
    this.#method.begin(this);
  }

  onHeaders(): void {
    // A client's trailers say nothing in gRPC; they end its direction.
    this.onEnd();
  }

  onData(chunk: Buffer, mayKeep: boolean): void {
    try {
      this.#inbox.push(chunk, mayKeep);
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      this.sendStatus({ code: error.status, details: error.message });
    }
  }

  onEnd(): void {
    if (this.#inbox.atBoundary) this.#inbox.end();
    else this.sendStatus({ code: Code.INTERNAL, details: "the last message is not whole" });
  }

  onDrain(): void {
    const drained = this.#drained;
    this.#drained = undefined;
    if (drained !== undefined) for (const callback of drained) callback();
  }

  onClose(error: Http2Error | undefined): void {
    this.#ends();
    // A handler threw, or what it had an event's listener do: that is its program's affair.
    if (error?.code === "ERR_HTTP2_STREAM" && error.cause !== undefined) {
      process.nextTick(() => {
        throw error.cause;
      });
    }
  }

  #trailers({ code, details, metadata }: PartialStatusObject): HeaderList {
    const trailers: HeaderList = this.#metadataSent ? [] : [...RESPONSE];
    trailers.push("grpc-status", String(code));
    trailers.push("grpc-message", encodeMessage(details ?? ""));
    if (metadata) appendMetadata(trailers, metadata);
    return trailers;
  }

  /** When the client gives up, in milliseconds since the epoch. */
  #limit(timeout: string): number {
    const milliseconds = decodeTimeout(timeout);
    if (milliseconds === undefined) {
      const details = `Invalid grpc-timeout value "${timeout}"`;
      process.nextTick(() => this.sendStatus({ code: Code.INTERNAL, details }));
      return Infinity;
    }
    this.#stopTimer = startTimer(milliseconds, () =>
      this.sendStatus({ code: Code.DEADLINE_EXCEEDED, details: "Deadline exceeded" }),
    );
    return Date.now() + milliseconds;
  }

  /** As in grpc-js the handler hears of the end of every call, in a turn of its own. */
  #ends(): void {
    if (this.#told) return;
    this.#told = true;
    this.#cancelled = true;
    this.#stopTimer?.();
    this.#inbox.close();
    if (this.#listener !== undefined) process.nextTick(tellCancel, this.#listener);
  }
}

function tellCancel(listener: ServerListener): void {
  listener.onCancel();
}

/** ORCA's metrics are grpc-js's own: a server that has them on is served by its transport. */
const noMetrics = new Proxy({}, { get: () => () => {} });
