import { Budget } from "./budget.js";
import { connectionError, ErrorCode, type Http2Error } from "./errors.js";
import {
  ACK,
  CONTINUATION,
  DATA,
  describeFrame,
  END_HEADERS,
  END_STREAM,
  GOAWAY,
  HEADERS,
  MAX_STREAM_ID,
  PADDED,
  PING,
  PRIORITY,
  PRIORITY_FLAG,
  PUSH_PROMISE,
  RST_STREAM,
  readU32,
  SETTINGS,
  WINDOW_UPDATE,
} from "./frame.js";
import { contentLength, requestFault, responseFault, trailersFault } from "./headers.js";
import { type HeaderList, HpackDecoder } from "./hpack-decoder.js";
import { DEFAULT_TABLE_SIZE } from "./hpack-encoder.js";
import type { FrameSink } from "./parser.js";
import type { Stream } from "./stream.js";
import type { FrameWriter } from "./writer.js";

/** What the receiver asks of its session. */
export interface ReceiverHost {
  readonly role: "client" | "server";
  readonly writer: FrameWriter;
  readonly maxHeaderListSize: number;
  stream(id: number): Stream | undefined;
  /** The stream was there once. */
  wasOpened(id: number): boolean;
  /** This side has reset the stream, not long ago: its late frames are no error. */
  wasReset(id: number): boolean;
  /** A client's new request; undefined if it was refused. */
  accept(id: number): Stream | undefined;
  request(stream: Stream, headers: HeaderList, end: boolean): void;
  /** Takes them over and acknowledges them. */
  settings(payload: Buffer): void;
  /** The peer heeds this side's. */
  settingsTaken(): void;
  pong(payload: Buffer): void;
  goAway(lastId: number, code: number, debug: string): void;
  /** False on an overflow. */
  addWindow(delta: number): boolean;
  /** DATA has taken so much of the connection's window. False if there was less. */
  takeWindow(length: number): boolean;
}

// Frames that carry nothing for anybody: that many at once, and so many a second in the long run, as long as neither
// side sends anything else. A Go client sends a PING for each batch of DATA that it gets.
const BARREN_BURST = 10_000;
const BARREN_PER_SECOND = 100;
// Streams that the peer opens and resets.
const RESET_BURST = 20_000;
const RESETS_PER_SECOND = 1_000;
/** The answers that may wait for a peer that does not read (Go's x/net/http2 has the same bound). */
const MAX_ANSWERS = 10_000;

/** What the peer's frames do: synchronous, and without knowledge of the connection. */
export class Receiver implements FrameSink {
  readonly #host: ReceiverHost;
  readonly #trace: ((line: string) => void) | undefined;
  readonly #decoder: HpackDecoder;
  readonly #barren = new Budget(BARREN_BURST, BARREN_PER_SECOND);
  readonly #resets = new Budget(RESET_BURST, RESETS_PER_SECOND);
  #first = true;
  /** Whether payloads that are told may be kept. */
  mayKeep = true;
  // The block of header fields that goes on in CONTINUATION frames.
  #blockId = 0;
  #blockFlags = 0;
  #fragments: Buffer[] = [];
  #blockBytes = 0;
  #dependsOnItself = false;
  // The DATA frame whose payload is being read.
  #current: Stream | undefined;
  #currentEnd = false;
  #padded = false;
  #dataLeft = 0;
  #padding = 0;

  constructor(host: ReceiverHost, trace: ((line: string) => void) | undefined) {
    this.#trace = trace;
    this.#host = host;
    this.#decoder = new HpackDecoder(DEFAULT_TABLE_SIZE, host.maxHeaderListSize);
  }

  /** This side has sent something of use: the peer may answer it with control frames. */
  progress(): void {
    this.#barren.restore();
  }

  // FrameSink

  frame(type: number, flags: number, id: number, payload: Buffer): void {
    if (this.#trace !== undefined) this.#trace(`< ${describeFrame(type, flags, id, payload.length)}`);
    if (this.#first) {
      this.#first = false;
      if (type !== SETTINGS || flags & ACK) {
        throw connectionError(ErrorCode.PROTOCOL_ERROR, "the peer's first frame is not SETTINGS");
      }
    }
    if (this.#blockId !== 0 && (type !== CONTINUATION || id !== this.#blockId))
      this.#interrupted(type, flags, id);
    switch (type) {
      case HEADERS:
        this.#headers(flags, id, payload);
        break;
      case CONTINUATION:
        this.#continuation(flags, id, payload);
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
        this.#host.goAway(
          readU32(payload, 0) & MAX_STREAM_ID,
          readU32(payload, 4),
          payload.toString("utf8", 8, Math.min(payload.length, 1032)),
        );
        break;
      case PRIORITY:
        this.#priority(id, payload);
        break;
      case PUSH_PROMISE:
        throw connectionError(ErrorCode.PROTOCOL_ERROR, "PUSH_PROMISE, which this side does not take");
      default:
        // Extensions (RFC 9113, section 5.5).
        this.#takeBarren();
    }
  }

  data(flags: number, id: number, length: number): void {
    if (this.#trace !== undefined) this.#trace(`< ${describeFrame(DATA, flags, id, length)}`);
    if (this.#first)
      throw connectionError(ErrorCode.PROTOCOL_ERROR, "the peer's first frame is not SETTINGS");
    if (this.#blockId !== 0) this.#interrupted(DATA, flags, id);
    if (id === 0) throw connectionError(ErrorCode.PROTOCOL_ERROR, "DATA without a stream");
    const host = this.#host;
    if (length === 0) {
      if ((flags & END_STREAM) === 0) this.#takeBarren();
    } else {
      this.#barren.restore();
      if (!host.takeWindow(length)) {
        throw connectionError(ErrorCode.FLOW_CONTROL_ERROR, "DATA beyond the connection's window");
      }
    }
    this.#current = undefined;
    this.#padded = (flags & PADDED) !== 0;
    this.#padding = 0;
    this.#dataLeft = length;
    if (this.#padded && length === 0) throw wrongSize(DATA, length);
    const stream = host.stream(id);
    if (stream === undefined) {
      this.#onClosed(id, "DATA");
      return;
    }
    if (stream.state !== "open" && stream.state !== "halfClosedLocal") {
      stream.fail(ErrorCode.STREAM_CLOSED, "DATA behind the end of the peer's direction");
      return;
    }
    if (!stream.expect(length)) return;
    this.#currentEnd = (flags & END_STREAM) !== 0;
    if (length > 0) this.#current = stream;
    else if (this.#currentEnd) stream.takeEnd();
  }

  payload(chunk: Buffer, last: boolean): void {
    let piece = chunk;
    if (this.#padded) {
      this.#padded = false;
      this.#padding = piece[0]!;
      if (this.#padding >= this.#dataLeft) {
        throw connectionError(ErrorCode.PROTOCOL_ERROR, "padding as long as its frame");
      }
      piece = piece.subarray(1);
      this.#dataLeft--;
      this.#current?.unpad(1 + this.#padding);
    }
    this.#dataLeft -= piece.length;
    // What is left may be padding in part, or no more than that.
    if (this.#dataLeft < this.#padding) {
      piece = piece.subarray(0, Math.max(0, piece.length - (this.#padding - this.#dataLeft)));
      this.#padding = this.#dataLeft;
    }
    const stream = this.#current;
    if (stream === undefined) return;
    if (piece.length > 0) stream.take(piece, this.mayKeep);
    if (!last) return;
    this.#current = undefined;
    if (this.#currentEnd) stream.takeEnd();
  }

  #headers(flags: number, id: number, payload: Buffer): void {
    if (id === 0) throw connectionError(ErrorCode.PROTOCOL_ERROR, "HEADERS without a stream");
    let start = 0;
    let end = payload.length;
    if (flags & PADDED) {
      if (end === 0) throw wrongSize(HEADERS, 0);
      end -= payload[0]!;
      start = 1;
    }
    this.#dependsOnItself = false;
    if (flags & PRIORITY_FLAG) {
      if (end - start < 5) throw connectionError(ErrorCode.PROTOCOL_ERROR, "padding as long as its frame");
      this.#dependsOnItself = (readU32(payload, start) & MAX_STREAM_ID) === id;
      start += 5;
    }
    if (end < start) throw connectionError(ErrorCode.PROTOCOL_ERROR, "padding as long as its frame");
    const block = payload.subarray(start, end);
    if (flags & END_HEADERS) {
      this.#block(id, (flags & END_STREAM) !== 0, block);
      return;
    }
    this.#blockId = id;
    this.#blockFlags = flags;
    this.#blockBytes = block.length;
    // A copy: the payload is valid during the call only.
    this.#fragments = [Buffer.from(block)];
  }

  #continuation(flags: number, id: number, payload: Buffer): void {
    if (this.#blockId === 0) {
      throw connectionError(ErrorCode.PROTOCOL_ERROR, "CONTINUATION of nothing");
    }
    // A block may be long, but not be cut into crumbs.
    if (payload.length < 1024 && (flags & END_HEADERS) === 0) this.#takeBarren();
    this.#blockBytes += payload.length;
    // A list is at most a little longer in its block than by HTTP/2's reckoning.
    if (this.#blockBytes > 2 * this.#host.maxHeaderListSize) {
      throw connectionError(ErrorCode.ENHANCE_YOUR_CALM, `header fields of ${this.#blockBytes} bytes`);
    }
    if (payload.length > 0) this.#fragments.push(Buffer.from(payload));
    if ((flags & END_HEADERS) === 0) return;
    const block = Buffer.concat(this.#fragments);
    this.#fragments = [];
    this.#blockId = 0;
    this.#block(id, (this.#blockFlags & END_STREAM) !== 0, block);
  }

  /** Whatever becomes of the stream, the block must be decoded: its table is the connection's. */
  #block(id: number, end: boolean, block: Buffer): void {
    this.#barren.restore();
    const { headers, truncated, malformed } = this.#decoder.decode(block);
    const host = this.#host;
    let stream = host.stream(id);
    const isRequest = stream === undefined;
    if (stream === undefined) {
      if (host.role === "client" || host.wasOpened(id)) {
        if (host.role === "client" || host.wasReset(id)) this.#onClosed(id, "HEADERS");
        else throw connectionError(ErrorCode.STREAM_CLOSED, `HEADERS on stream ${id}, which is closed`);
        return;
      }
      if (id % 2 === 0)
        throw connectionError(ErrorCode.PROTOCOL_ERROR, `HEADERS on stream ${id} from a client`);
      stream = host.accept(id);
      if (stream === undefined) return;
    } else if (stream.state === "halfClosedRemote") {
      stream.fail(ErrorCode.STREAM_CLOSED, "HEADERS behind the end of the peer's direction");
      return;
    }
    if (truncated) {
      stream.fail(ErrorCode.FRAME_SIZE_ERROR, "peer header list size exceeded limit");
      return;
    }
    if (this.#dependsOnItself) {
      stream.fail(ErrorCode.PROTOCOL_ERROR, "a stream that depends on itself");
      return;
    }
    const fault = malformed ? "characters that HTTP/2 forbids" : this.#fault(stream, isRequest, headers, end);
    if (fault !== undefined) {
      stream.fail(ErrorCode.PROTOCOL_ERROR, `malformed header fields: ${fault}`);
      return;
    }
    if (isRequest) {
      const length = contentLength(headers);
      if (length !== undefined) stream.expectLength(length);
      host.request(stream, headers, end);
    } else if (host.role === "client" && !stream.responded) {
      // Informational (1xx): the response itself is to come.
      if (headers[1]!.charCodeAt(0) === 0x31) {
        if (end) stream.fail(ErrorCode.PROTOCOL_ERROR, "an informational response at the end");
        return;
      }
      stream.responded = true;
      stream.takeHeaders(headers, end);
    } else stream.takeHeaders(headers, end);
  }

  #fault(stream: Stream, isRequest: boolean, headers: HeaderList, end: boolean): string | undefined {
    if (isRequest) return requestFault(headers);
    if (this.#host.role === "client" && !stream.responded) return responseFault(headers);
    return end ? trailersFault(headers) : "a second one within a message";
  }

  #windowUpdate(id: number, payload: Buffer): void {
    if (payload.length !== 4) throw wrongSize(WINDOW_UPDATE, payload.length);
    this.#takeBarren();
    const delta = readU32(payload, 0) & MAX_STREAM_ID;
    if (id === 0) {
      if (delta === 0) throw connectionError(ErrorCode.PROTOCOL_ERROR, "WINDOW_UPDATE of 0");
      if (!this.#host.addWindow(delta)) {
        throw connectionError(ErrorCode.FLOW_CONTROL_ERROR, "the connection's window overflows");
      }
      return;
    }
    const stream = this.#host.stream(id);
    if (stream === undefined) {
      this.#notIdle(id, WINDOW_UPDATE);
      return;
    }
    if (delta === 0) stream.fail(ErrorCode.PROTOCOL_ERROR, "WINDOW_UPDATE of 0");
    else if (!stream.addWindow(delta)) {
      stream.fail(ErrorCode.FLOW_CONTROL_ERROR, "the stream's window overflows");
    }
  }

  #reset(id: number, payload: Buffer): void {
    if (id === 0) throw connectionError(ErrorCode.PROTOCOL_ERROR, "RST_STREAM without a stream");
    if (payload.length !== 4) throw wrongSize(RST_STREAM, payload.length);
    const stream = this.#host.stream(id);
    if (stream === undefined) {
      this.#notIdle(id, RST_STREAM);
      this.#takeBarren();
      return;
    }
    if (this.#host.role === "server" && !this.#resets.take()) {
      throw connectionError(ErrorCode.ENHANCE_YOUR_CALM, "the peer opens and resets too many streams");
    }
    stream.takeReset(readU32(payload, 0));
  }

  #settings(flags: number, id: number, payload: Buffer): void {
    if (id !== 0) throw onStream(SETTINGS, id);
    this.#takeBarren();
    if (flags & ACK) {
      if (payload.length > 0) throw wrongSize(SETTINGS, payload.length);
      this.#host.settingsTaken();
      return;
    }
    this.#answer();
    this.#host.settings(payload);
  }

  #ping(flags: number, id: number, payload: Buffer): void {
    if (id !== 0) throw onStream(PING, id);
    if (payload.length !== 8) throw wrongSize(PING, payload.length);
    this.#takeBarren();
    if (flags & ACK) {
      this.#host.pong(payload);
      return;
    }
    this.#answer();
    this.#host.writer.frame(PING, ACK, 0, payload);
  }

  #priority(id: number, payload: Buffer): void {
    if (id === 0) throw connectionError(ErrorCode.PROTOCOL_ERROR, "PRIORITY without a stream");
    this.#takeBarren();
    const stream = this.#host.stream(id);
    if (payload.length !== 5) {
      if (stream === undefined) this.#host.writer.number(RST_STREAM, id, ErrorCode.FRAME_SIZE_ERROR);
      else stream.fail(ErrorCode.FRAME_SIZE_ERROR, `PRIORITY of ${payload.length} bytes`);
    } else if ((readU32(payload, 0) & MAX_STREAM_ID) === id) {
      if (stream === undefined) this.#host.writer.number(RST_STREAM, id, ErrorCode.PROTOCOL_ERROR);
      else stream.fail(ErrorCode.PROTOCOL_ERROR, "a stream that depends on itself");
    }
  }

  /** DATA or HEADERS for a stream that is not there. */
  #onClosed(id: number, what: string): void {
    if (!this.#host.wasOpened(id)) {
      throw connectionError(ErrorCode.PROTOCOL_ERROR, `${what} on stream ${id}, which was never opened`);
    }
    if (this.#host.wasReset(id)) return;
    this.#takeBarren();
    this.#answer();
    this.#host.writer.number(RST_STREAM, id, ErrorCode.STREAM_CLOSED);
  }

  #notIdle(id: number, type: number): void {
    if (this.#host.wasOpened(id)) return;
    throw connectionError(
      ErrorCode.PROTOCOL_ERROR,
      `${describeFrame(type, 0, id, 4)}, a stream that was never opened`,
    );
  }

  #interrupted(type: number, flags: number, id: number): never {
    throw connectionError(
      ErrorCode.PROTOCOL_ERROR,
      `${describeFrame(type, flags, id, 0)} amid the header fields of stream ${this.#blockId}`,
    );
  }

  #takeBarren(): void {
    if (!this.#barren.take()) {
      throw connectionError(ErrorCode.ENHANCE_YOUR_CALM, "the peer sends too many frames that carry nothing");
    }
  }

  #answer(): void {
    if (++this.#host.writer.answers > MAX_ANSWERS) {
      throw connectionError(ErrorCode.ENHANCE_YOUR_CALM, "the peer asks for answers but does not read them");
    }
  }
}

function wrongSize(type: number, length: number): Http2Error {
  return connectionError(
    ErrorCode.FRAME_SIZE_ERROR,
    `${describeFrame(type, 0, 0, length)} is no frame's size`,
  );
}

function onStream(type: number, id: number): Http2Error {
  return connectionError(
    ErrorCode.PROTOCOL_ERROR,
    `${describeFrame(type, 0, id, 0)} does not belong to a stream`,
  );
}
