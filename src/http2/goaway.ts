import { errorName } from "./errors.js";
import { MAX_STREAM_ID, putU32, readU32 } from "./frame.js";

/** Bytes of a GOAWAY's text that are written, or read. */
const MAX_DEBUG = 1024;

/** What a GOAWAY frame says (RFC 9113, section 6.8). */
export interface GoAway {
  /** The last stream that its sender has processed, or may yet. */
  readonly lastId: number;
  /** See {@link ErrorCode}. */
  readonly code: number;
  /** For people: why. */
  readonly debug: string;
}

/** @param payload 8 bytes or more */
export function readGoAway(payload: Buffer): GoAway {
  return {
    lastId: readU32(payload, 0) & MAX_STREAM_ID,
    code: readU32(payload, 4),
    debug: payload.toString("utf8", 8, Math.min(payload.length, 8 + MAX_DEBUG)),
  };
}

export function writeGoAway({ lastId, code, debug }: GoAway): Buffer {
  const text = Buffer.from(debug.slice(0, MAX_DEBUG));
  const payload = Buffer.alloc(8 + text.length);
  putU32(payload, 0, lastId);
  putU32(payload, 4, code);
  payload.set(text, 8);
  return payload;
}

/** A GOAWAY as a piece of text, for messages. */
export function describeGoAway({ code, debug }: GoAway): string {
  return debug === "" ? errorName(code) : `${errorName(code)}: ${debug}`;
}
