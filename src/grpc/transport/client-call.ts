import { keepFreedMemory } from "../../freed-memory.js";
import {
  ErrorCode,
  type HeaderList,
  type Http2Error,
  type Session,
  type Stream,
  type StreamHandler,
} from "../../http2/index.js";
import { startTimer } from "../../wait.js";
import { compress, type Encoding, MessageError, tooLarge } from "./compression.js";
import { Inbox, type InboxOwner } from "./inbox.js";
import { messageHeader } from "./message-reader.js";
import { responseFault, statusOfTrailers, without } from "./response-head.js";
import { type CallStatus, Code, fieldOf, statusOfError } from "./status.js";

/** What a call tells. Never before `start` has returned. */
export interface CallListener {
  /** The response's header fields; not called where the response is a status alone. */
  onHeaders(headers: HeaderList): void;
  /** A message that was asked for by `read`, or any when the status is there. */
  onMessage(message: Buffer): void;
  /** Once and last. */
  onStatus(status: CallStatus): void;
  /** `send` may go on after it returned false. */
  onDrain?(): void;
  /**
   * The server has not processed the call, nor will it: `start` makes it again, with what was sent so far. At most once.
   * Without this listener the call fails.
   */
  onUnprocessed?(): void;
}

/** Bytes of a message in either direction. */
export interface CallLimits {
  readonly maxSend: number;
  readonly maxReceive: number;
}

/** Bytes of messages that are kept to be sent again (grpc-go: defaultCallInfo, maxRetryRPCBufferSize). */
const KEPT = 256 * 1024;

/** A message as it goes over the wire. */
interface Outgoing {
  readonly body: Uint8Array;
  readonly compressed: boolean;
}

/** No message. */
const NOTHING: readonly Outgoing[] = [];

/** A deadline, and when it was set; both in milliseconds since the epoch. */
interface TimeLimit {
  readonly started: number;
  readonly deadline: number;
  readonly stopTimer: () => void;
}

/** One call as gRPC's protocol knows it, on a session: bytes of messages in and out, and a status at the end. */
export class ClientCall implements StreamHandler, InboxOwner {
  readonly #limits: CallLimits;
  readonly #listener: CallListener;
  /** Of a response that is gRPC's, from its header fields on. */
  #inbox: Inbox | undefined;
  /** Messages that were asked for before. */
  #asked = 0;
  #stream: Stream | undefined;
  /** What was sent, as long as the call could be made again (grpc-go: stream.go, shouldRetry). */
  #kept: readonly Outgoing[] | undefined = NOTHING;
  #keptBytes = 0;
  #halfClosed = false;
  #encoding: Encoding = "identity";
  #limit: TimeLimit | undefined;
  #wasRefused = false;
  #over = false;

  constructor(limits: CallLimits, listener: CallListener) {
    this.#limits = limits;
    this.#listener = listener;
  }

  /**
   * Sends the request's header fields, and after onUnprocessed all that was sent before.
   * @throws Http2Error when the session takes no call
   */
  start(session: Session, headers: HeaderList, encoding: Encoding): void {
    this.#encoding = encoding;
    const again = this.#wasRefused;
    this.#stream = session.open(headers, this);
    if (again) this.#sendAgain(this.#stream);
  }

  /** Ends the call with DEADLINE_EXCEEDED at this time (milliseconds since the epoch). */
  limit(deadline: number): void {
    const started = Date.now();
    const stopTimer = startTimer(Math.max(0, deadline - started), () => {
      this.cancel(Code.DEADLINE_EXCEEDED, late(started));
    });
    this.#limit = { started, deadline, stopTimer };
  }

  /** Sends a message, which may be kept by reference until it is sent; false asks to wait for onDrain. */
  send(message: Uint8Array, mayCompress = true): boolean {
    if (this.#over) return true;
    const compressed = mayCompress && this.#encoding !== "identity";
    const body = compressed ? compress(message, this.#encoding) : message;
    if (body.length > this.#limits.maxSend) {
      const { status, message: details } = tooLarge(
        "Attempted to send message with a size larger than max",
        body.length,
        this.#limits.maxSend,
      );
      this.cancel(status, details);
      return true;
    }
    keepFreedMemory(body.length);
    this.#keep(body, compressed);
    return this.#stream?.write(body, messageHeader(body.length, compressed)) ?? false;
  }

  halfClose(): void {
    this.#halfClosed = true;
    this.#stream?.end();
  }

  /** Asks for one more message. */
  read(): void {
    if (this.#inbox === undefined) this.#asked++;
    else this.#inbox.read();
  }

  /** Ends the call at once, with this status. */
  cancel(code: number, details: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#limit?.stopTimer();
    this.#inbox?.close();
    this.#stream?.reset(ErrorCode.CANCEL);
    queueMicrotask(() => this.#listener.onStatus({ code, details, trailers: [] }));
  }

  // InboxOwner

  onMessage(message: Buffer): void {
    this.#listener.onMessage(message);
  }

  consumed(bytes: number): void {
    this.#stream!.consumed(bytes);
  }

  // StreamHandler

  onHeaders(headers: HeaderList, end: boolean): void {
    if (this.#over) return;
    this.#kept = undefined;
    if (end) {
      this.#finish(statusOfTrailers(headers));
      return;
    }
    const fault = responseFault(headers);
    if (fault !== undefined) this.#finish(fault, false);
    else {
      this.#inbox = new Inbox(this.#limits.maxReceive, this, this.#asked);
      this.#inbox.encoding = fieldOf(headers, "grpc-encoding");
      this.#listener.onHeaders(headers.slice(2));
    }
  }

  onData(chunk: Buffer, mayKeep: boolean): void {
    if (this.#over || this.#inbox === undefined) return;
    try {
      this.#inbox.push(chunk, mayKeep);
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      // A compression that this side has not said to take is the server's fault; only a server is without it (grpc-go alike).
      const code = error.status === Code.UNIMPLEMENTED ? Code.INTERNAL : error.status;
      this.cancel(code, error.message);
    }
  }

  onEnd(): void {
    this.#finish(without("server closed the stream without sending trailers"));
  }

  onClose(error: Http2Error | undefined): void {
    // The listener threw: that is its program's affair, as with an event's listener.
    if (error?.code === "ERR_HTTP2_STREAM" && error.cause !== undefined) {
      process.nextTick(() => {
        throw error.cause;
      });
    }
    if (this.#over) return;
    if (error !== undefined && this.#mayBeMadeAgain(error)) {
      this.#wasRefused = true;
      this.#stream = undefined;
      this.#listener.onUnprocessed!();
      return;
    }
    if (error === undefined) this.#finish(without("the stream ended without a status"));
    else if (this.#isLate(error))
      this.#finish({
        code: Code.DEADLINE_EXCEEDED,
        details: late(this.#limit!.started),
        trailers: [],
        error,
      });
    else this.#finish(statusOfError(error));
  }

  onDrain(): void {
    this.#listener.onDrain?.();
  }

  /** The server's timer was first, and has reset the stream (grpc-go: http2_client.go, handleRSTStream). */
  #isLate(error: Http2Error): boolean {
    const isCancel = error.code === "ERR_HTTP2_RESET" && error.http2Code === ErrorCode.CANCEL;
    return isCancel && this.#limit !== undefined && Date.now() >= this.#limit.deadline;
  }

  #keep(body: Uint8Array, compressed: boolean): void {
    if (this.#kept === undefined) return;
    this.#keptBytes += body.length;
    // Between two attempts there is nowhere else for it to go.
    if (this.#keptBytes > KEPT && this.#stream !== undefined) this.#kept = undefined;
    // An array that grows takes room for more than the one message that most calls have.
    else if (this.#kept.length === 0) this.#kept = [{ body, compressed }];
    else (this.#kept as Outgoing[]).push({ body, compressed });
  }

  #mayBeMadeAgain(error: Http2Error): boolean {
    if (this.#kept === undefined || this.#listener.onUnprocessed === undefined) return false;
    // Not sent at all: it has waited for its place among the server's streams.
    if (this.#stream!.id === 0) return error.code !== "ERR_HTTP2_STREAM";
    return (
      error.code === "ERR_HTTP2_REFUSED" ||
      (error.code === "ERR_HTTP2_RESET" && error.http2Code === ErrorCode.REFUSED_STREAM)
    );
  }

  #sendAgain(stream: Stream): void {
    const kept = this.#kept!;
    this.#kept = undefined;
    let goOn = true;
    for (const { body, compressed } of kept)
      goOn = stream.write(body, messageHeader(body.length, compressed));
    if (this.#halfClosed) stream.end();
    // Who has sent something in between was told to wait.
    if (goOn) this.#listener.onDrain?.();
  }

  /** @param whole the response has ended by itself */
  #finish(status: CallStatus, whole = true): void {
    if (this.#over) return;
    let last = status;
    if (status.code === Code.OK && this.#inbox?.atBoundary === false)
      last = without("the last message is not whole");
    this.#over = true;
    this.#limit?.stopTimer();
    // What has arrived comes before the status: nothing is lost by an error behind it.
    this.#inbox?.flush();
    this.#listener.onStatus(last);
    const stream = this.#stream;
    if (!whole) stream?.reset(ErrorCode.CANCEL);
    // The server is done; it need not hear the rest of the request.
    else if (stream?.state === "open") stream.reset(ErrorCode.NO_ERROR);
  }
}

function late(started: number): string {
  return `Deadline exceeded after ${((Date.now() - started) / 1000).toFixed(3)}s`;
}
