import { DataPayload } from "./data-payload.js";
import { connectionError, ErrorCode, type Http2Error } from "./errors.js";
import {
  ACK,
  CONTINUATION,
  DATA,
  describeFrame,
  END_STREAM,
  GOAWAY,
  HEADERS,
  MAX_STREAM_ID,
  PADDED,
  PING,
  PRIORITY,
  PUSH_PROMISE,
  RST_STREAM,
  readU32,
  SETTINGS,
  WINDOW_UPDATE,
  wrongSize,
} from "./frame.js";
import { type GoAway, readGoAway } from "./goaway.js";
import { HeaderBlocks } from "./header-blocks.js";
import { HeaderFields, type HeaderFieldsHost } from "./header-fields.js";
import { answerLateFrame } from "./late-frame.js";
import type { FrameSink } from "./parser.js";
import { CONNECTION_WINDOW, ReceiveWindow } from "./receive-window.js";
import type { Stream } from "./stream.js";

/** What is asked of the session. */
export interface ReceiverHost extends HeaderFieldsHost {
  readonly role: "client" | "server";
  /** Takes them over and acknowledges them. */
  settings(payload: Buffer): void;
  /** The peer heeds this side's. */
  settingsTaken(): void;
  pong(payload: Buffer): void;
  goAway(goAway: GoAway): void;
}

/** What the peer's frames do: synchronous, and without knowledge of the connection. A broken rule throws an Http2Error. */
export class Receiver implements FrameSink {
  /** Whether payloads that are told may be kept. */
  mayKeep = true;
  readonly #host: ReceiverHost;
  readonly #trace: ((line: string) => void) | undefined;
  readonly #blocks: HeaderBlocks;
  readonly #window = new ReceiveWindow(CONNECTION_WINDOW);
  readonly #payload = new DataPayload();
  #isFirst = true;
  /** The stream whose DATA is being read; none if nobody wants it. */
  #current: Stream | undefined;
  #currentEnds = false;

  constructor(host: ReceiverHost, trace: ((line: string) => void) | undefined) {
    this.#host = host;
    this.#trace = trace;
    this.#blocks = new HeaderBlocks(host.maxHeaderListSize, new HeaderFields(host));
  }

  // FrameSink

  frame(type: number, flags: number, id: number, payload: Buffer): void {
    if (this.#trace !== undefined) this.#trace(`< ${describeFrame(type, flags, id, payload.length)}`);
    if (this.#isFirst) {
      this.#isFirst = false;
      if (type !== SETTINGS || flags & ACK) throw notSettings();
    }
    this.#blocks.checkOrder(type, flags, id);
    switch (type) {
      case HEADERS:
        this.#blocks.headers(flags, id, payload);
        break;
      case CONTINUATION:
        this.#blocks.continuation(flags, id, payload);
        break;
      case WINDOW_UPDATE:
        this.#windowUpdate(id, payload);
        break;
      case RST_STREAM:
        this.#reset(id, payload);
        break;
      case SETTINGS:
        this.#settings(flags, id, payload);
        break;
      case PING:
        this.#ping(flags, id, payload);
        break;
      case GOAWAY:
        if (id !== 0) throw onStream(type, id);
        if (payload.length < 8) throw wrongSize(type, payload.length);
        this.#host.goAway(readGoAway(payload));
        break;
      case PRIORITY:
        this.#priority(id, payload);
        break;
      case PUSH_PROMISE:
        throw connectionError(ErrorCode.PROTOCOL_ERROR, "PUSH_PROMISE, which this side does not take");
      default:
        // Extensions (RFC 9113, section 5.5).
        this.#host.guard.barren();
    }
  }

  data(flags: number, id: number, length: number): void {
    if (this.#trace !== undefined) this.#trace(`< ${describeFrame(DATA, flags, id, length)}`);
    if (this.#isFirst) throw notSettings();
    this.#blocks.checkOrder(DATA, flags, id);
    if (id === 0) throw connectionError(ErrorCode.PROTOCOL_ERROR, "DATA without a stream");
    if (flags & PADDED && length === 0) throw wrongSize(DATA, length);
    if (length > 0) this.#takeWindow(length);
    else if ((flags & END_STREAM) === 0) this.#host.guard.barren();
    this.#payload.begin(length, (flags & PADDED) !== 0);
    this.#current = undefined;
    const stream = this.#host.streams.get(id);
    if (stream === undefined) {
      answerLateFrame(this.#host, id, "DATA");
      return;
    }
    if (stream.state !== "open" && stream.state !== "halfClosedLocal") {
      stream.fail(ErrorCode.STREAM_CLOSED, "DATA behind the end of the peer's direction");
      return;
    }
    if (!stream.begun) {
      stream.fail(ErrorCode.PROTOCOL_ERROR, "DATA before the response's header fields");
      return;
    }
    if (!stream.expect(length)) return;
    if (length > 0) this.#host.guard.progress();
    this.#currentEnds = (flags & END_STREAM) !== 0;
    if (length > 0) this.#current = stream;
    else if (this.#currentEnds) stream.takeEnd();
  }

  payload(chunk: Buffer, last: boolean): void {
    const data = this.#payload.push(chunk, this.#onPadding);
    const stream = this.#current;
    if (stream === undefined) return;
    if (data.length > 0) stream.take(data, this.mayKeep);
    if (!last) return;
    this.#current = undefined;
    if (this.#currentEnds) stream.takeEnd();
  }

  /** Nobody will consume it. */
  readonly #onPadding = (bytes: number): void => this.#current?.consumed(bytes);

  #takeWindow(length: number): void {
    if (!this.#window.take(length))
      throw connectionError(ErrorCode.FLOW_CONTROL_ERROR, "DATA beyond the connection's window");
    // At once, read or not: one stream that is not read must not hold up the others. Each has its own window.
    this.#window.consumed(length);
    const delta = this.#window.reopen();
    if (delta > 0) this.#host.out.writer.lazily(WINDOW_UPDATE, 0, delta);
  }

  #windowUpdate(id: number, payload: Buffer): void {
    if (payload.length !== 4) throw wrongSize(WINDOW_UPDATE, payload.length);
    const { guard, out, streams } = this.#host;
    guard.barren();
    const delta = readU32(payload, 0) & MAX_STREAM_ID;
    if (id === 0) {
      if (delta === 0) throw connectionError(ErrorCode.PROTOCOL_ERROR, "WINDOW_UPDATE of 0");
      if (!out.addWindow(delta))
        throw connectionError(ErrorCode.FLOW_CONTROL_ERROR, "the connection's window overflows");
      return;
    }
    const stream = streams.get(id);
    if (stream === undefined) this.#checkOpened(id, WINDOW_UPDATE);
    else if (delta === 0) stream.fail(ErrorCode.PROTOCOL_ERROR, "WINDOW_UPDATE of 0");
    else if (!stream.addWindow(delta))
      stream.fail(ErrorCode.FLOW_CONTROL_ERROR, "the stream's window overflows");
  }

  #reset(id: number, payload: Buffer): void {
    if (id === 0) throw connectionError(ErrorCode.PROTOCOL_ERROR, "RST_STREAM without a stream");
    if (payload.length !== 4) throw wrongSize(RST_STREAM, payload.length);
    const { guard, role, streams } = this.#host;
    const stream = streams.get(id);
    if (stream === undefined) {
      this.#checkOpened(id, RST_STREAM);
      guard.barren();
      return;
    }
    if (role === "server") guard.reset();
    stream.takeReset(readU32(payload, 0));
  }

  #settings(flags: number, id: number, payload: Buffer): void {
    if (id !== 0) throw onStream(SETTINGS, id);
    const { guard } = this.#host;
    guard.barren();
    if (flags & ACK) {
      if (payload.length > 0) throw wrongSize(SETTINGS, payload.length);
      this.#host.settingsTaken();
      return;
    }
    guard.answer();
    this.#host.settings(payload);
  }

  #ping(flags: number, id: number, payload: Buffer): void {
    if (id !== 0) throw onStream(PING, id);
    if (payload.length !== 8) throw wrongSize(PING, payload.length);
    const { guard, out } = this.#host;
    guard.barren();
    if (flags & ACK) {
      this.#host.pong(payload);
      return;
    }
    guard.answer();
    out.writer.frame(PING, ACK, 0, payload);
  }

  /** Heeded by nobody, but it must be well-formed (RFC 9113, section 6.3). */
  #priority(id: number, payload: Buffer): void {
    if (id === 0) throw connectionError(ErrorCode.PROTOCOL_ERROR, "PRIORITY without a stream");
    this.#host.guard.barren();
    if (payload.length !== 5) {
      this.#fail(id, ErrorCode.FRAME_SIZE_ERROR, `PRIORITY of ${payload.length} bytes`);
    } else if ((readU32(payload, 0) & MAX_STREAM_ID) === id) {
      this.#fail(id, ErrorCode.PROTOCOL_ERROR, "a stream that depends on itself");
    }
  }

  /** Resets a stream that may not be there. */
  #fail(id: number, code: number, message: string): void {
    const stream = this.#host.streams.get(id);
    if (stream === undefined) this.#host.out.writer.number(RST_STREAM, id, code);
    else stream.fail(code, message);
  }

  #checkOpened(id: number, type: number): void {
    if (this.#host.streams.wasOpened(id)) return;
    const frame = describeFrame(type, 0, id, 4);
    throw connectionError(ErrorCode.PROTOCOL_ERROR, `${frame}, a stream that was never opened`);
  }
}

function notSettings(): Http2Error {
  return connectionError(ErrorCode.PROTOCOL_ERROR, "the peer's first frame is not SETTINGS");
}

function onStream(type: number, id: number): Http2Error {
  const frame = describeFrame(type, 0, id, 0);
  return connectionError(ErrorCode.PROTOCOL_ERROR, `${frame} does not belong to a stream`);
}
