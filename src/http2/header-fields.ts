import { connectionError, ErrorCode } from "./errors.js";
import type { FloodGuard } from "./flood-guard.js";
import type { HeaderBlockSink } from "./header-blocks.js";
import { contentLength, requestFault, responseFault, trailersFault } from "./headers.js";
import { type HeaderList, HpackDecoder } from "./hpack-decoder.js";
import { DEFAULT_TABLE_SIZE } from "./hpack-encoder.js";
import type { Intake } from "./intake.js";
import { answerLateFrame } from "./late-frame.js";
import type { Outgoing } from "./outgoing.js";
import type { Stream } from "./stream.js";
import type { Streams } from "./streams.js";

/** What is asked of the session. */
export interface HeaderFieldsHost {
  readonly streams: Streams;
  readonly guard: FloodGuard;
  readonly out: Outgoing;
  readonly maxHeaderListSize: number;
  /** Of a server only: a client takes no requests. */
  readonly intake: Intake | undefined;
}

/** What blocks of header fields do: a request, a response, informational ones before it, or trailers. */
export class HeaderFields implements HeaderBlockSink {
  readonly #host: HeaderFieldsHost;
  readonly #decoder: HpackDecoder;

  constructor(host: HeaderFieldsHost) {
    this.#host = host;
    this.#decoder = new HpackDecoder(DEFAULT_TABLE_SIZE, host.maxHeaderListSize);
  }

  onCrumb(): void {
    this.#host.guard.barren();
  }

  /** Whatever becomes of the stream, the block must be decoded: its table is the connection's. @throws Http2Error */
  onBlock(id: number, end: boolean, dependsOnItself: boolean, block: Buffer): void {
    const host = this.#host;
    const { headers, truncated, malformed } = this.#decoder.decode(block);
    const known = host.streams.get(id);
    const stream = known ?? this.#begin(id);
    if (stream === undefined) return;
    if (stream.state === "halfClosedRemote") {
      stream.fail(ErrorCode.STREAM_CLOSED, "HEADERS behind the end of the peer's direction");
    } else if (truncated) {
      stream.fail(ErrorCode.FRAME_SIZE_ERROR, "peer header list size exceeded limit");
    } else if (dependsOnItself) {
      stream.fail(ErrorCode.PROTOCOL_ERROR, "a stream that depends on itself");
    } else if (malformed) {
      stream.fail(ErrorCode.PROTOCOL_ERROR, "malformed header fields: characters that HTTP/2 forbids");
    } else if (known === undefined) this.#request(stream, headers, end);
    else if (!stream.begun) this.#response(stream, headers, end);
    else this.#trailers(stream, headers, end);
  }

  /** A new stream, if a client's request may begin one; undefined if nothing is to be done. */
  #begin(id: number): Stream | undefined {
    const { intake, streams } = this.#host;
    if (intake === undefined || streams.wasReset(id)) {
      answerLateFrame(this.#host, id, "HEADERS");
      return undefined;
    }
    if (streams.wasOpened(id))
      throw connectionError(ErrorCode.STREAM_CLOSED, `HEADERS on stream ${id}, which is closed`);
    if (id % 2 === 0)
      throw connectionError(ErrorCode.PROTOCOL_ERROR, `HEADERS on stream ${id} from a client`);
    return intake.accept(id);
  }

  #request(stream: Stream, headers: HeaderList, end: boolean): void {
    if (isMalformed(stream, requestFault(headers))) return;
    const length = contentLength(headers);
    if (length !== undefined) stream.expectLength(length);
    this.#host.guard.progress();
    this.#host.intake!.request(stream, headers, end);
  }

  #response(stream: Stream, headers: HeaderList, end: boolean): void {
    if (isMalformed(stream, responseFault(headers))) return;
    if (headers[1]!.charCodeAt(0) === 0x31) {
      // Informational (1xx), and left out: the response itself is to come.
      if (end) stream.fail(ErrorCode.PROTOCOL_ERROR, "an informational response at the end");
      this.#host.guard.barren();
      return;
    }
    stream.begun = true;
    this.#host.guard.progress();
    stream.takeHeaders(headers, end);
  }

  #trailers(stream: Stream, headers: HeaderList, end: boolean): void {
    if (isMalformed(stream, end ? trailersFault(headers) : "a second one within a message")) return;
    this.#host.guard.progress();
    stream.takeHeaders(headers, end);
  }
}

/** Resets the stream where there is a fault. */
function isMalformed(stream: Stream, fault: string | undefined): boolean {
  if (fault === undefined) return false;
  stream.fail(ErrorCode.PROTOCOL_ERROR, `malformed header fields: ${fault}`);
  return true;
}
