import { connectionError, ErrorCode } from "./errors.js";
import {
  CONTINUATION,
  describeFrame,
  END_HEADERS,
  END_STREAM,
  HEADERS,
  MAX_STREAM_ID,
  PADDED,
  PRIORITY_FLAG,
  readU32,
  wrongSize,
} from "./frame.js";

/** Bytes below which a CONTINUATION that is not the last of its block counts as a crumb. */
const CRUMB = 1024;

/** What is told of the blocks that are found. */
export interface HeaderBlockSink {
  /** A whole block of header fields, still encoded; valid during the call only. */
  onBlock(id: number, end: boolean, dependsOnItself: boolean, block: Buffer): void;
  /** A piece of a block that is too small to be of use. */
  onCrumb(): void;
}

/** Puts the blocks of header fields together that HEADERS and CONTINUATION frames carry (RFC 9113, section 4.3). */
export class HeaderBlocks {
  readonly #sink: HeaderBlockSink;
  readonly #maxBytes: number;
  /** The stream whose block goes on in the next frame; 0 between blocks. */
  #id = 0;
  #end = false;
  #dependsOnItself = false;
  #fragments: Buffer[] = [];
  #bytes = 0;

  /** @param maxListSize bytes of a list (SETTINGS_MAX_HEADER_LIST_SIZE) */
  constructor(maxListSize: number, sink: HeaderBlockSink) {
    this.#sink = sink;
    // A list is at most a little longer in its block than by HTTP/2's reckoning.
    this.#maxBytes = 2 * maxListSize;
  }

  /**
   * Amid a block nothing else may come.
   * @throws Http2Error ERR_HTTP2_PROTOCOL
   */
  checkOrder(type: number, flags: number, id: number): void {
    if (this.#id === 0 || (type === CONTINUATION && id === this.#id)) return;
    const frame = describeFrame(type, flags, id, 0);
    throw connectionError(ErrorCode.PROTOCOL_ERROR, `${frame} amid the header fields of stream ${this.#id}`);
  }

  /** @throws Http2Error ERR_HTTP2_PROTOCOL, and what the sink throws */
  headers(flags: number, id: number, payload: Buffer): void {
    if (id === 0) throw connectionError(ErrorCode.PROTOCOL_ERROR, "HEADERS without a stream");
    let start = 0;
    let end = payload.length;
    if (flags & PADDED) {
      if (end === 0) throw wrongSize(HEADERS, 0);
      end -= payload[0]!;
      start = 1;
    }
    let dependsOnItself = false;
    if (flags & PRIORITY_FLAG) {
      if (end - start < 5) throw allPadding();
      dependsOnItself = (readU32(payload, start) & MAX_STREAM_ID) === id;
      start += 5;
    }
    if (end < start) throw allPadding();
    const block = payload.subarray(start, end);
    if (flags & END_HEADERS) {
      this.#sink.onBlock(id, (flags & END_STREAM) !== 0, dependsOnItself, block);
      return;
    }
    this.#id = id;
    this.#end = (flags & END_STREAM) !== 0;
    this.#dependsOnItself = dependsOnItself;
    this.#bytes = block.length;
    // A copy: the payload is valid during the call only.
    this.#fragments = [Buffer.from(block)];
  }

  /** @throws Http2Error ERR_HTTP2_PROTOCOL, and what the sink throws */
  continuation(flags: number, id: number, payload: Buffer): void {
    if (this.#id === 0) throw connectionError(ErrorCode.PROTOCOL_ERROR, "CONTINUATION of nothing");
    // A block may be long, but not be cut into crumbs.
    if (payload.length < CRUMB && (flags & END_HEADERS) === 0) this.#sink.onCrumb();
    this.#bytes += payload.length;
    if (this.#bytes > this.#maxBytes)
      throw connectionError(ErrorCode.ENHANCE_YOUR_CALM, `header fields of ${this.#bytes} bytes`);
    if (payload.length > 0) this.#fragments.push(Buffer.from(payload));
    if ((flags & END_HEADERS) === 0) return;
    const block = Buffer.concat(this.#fragments);
    this.#fragments = [];
    this.#id = 0;
    this.#sink.onBlock(id, this.#end, this.#dependsOnItself, block);
  }
}

function allPadding(): Error {
  return connectionError(ErrorCode.PROTOCOL_ERROR, "padding as long as its frame");
}
