import { connectionError, ErrorCode } from "./errors.js";
import {
  DEFAULT_WINDOW,
  MAX_MAX_FRAME_SIZE,
  MAX_WINDOW,
  MIN_MAX_FRAME_SIZE,
  putU32,
  readU32,
} from "./frame.js";
import { DEFAULT_TABLE_SIZE } from "./hpack-encoder.js";

const HEADER_TABLE_SIZE = 0x1;
const ENABLE_PUSH = 0x2;
const MAX_CONCURRENT_STREAMS = 0x3;
const INITIAL_WINDOW_SIZE = 0x4;
const MAX_FRAME_SIZE = 0x5;
const MAX_HEADER_LIST_SIZE = 0x6;

/** What the peer has said of itself; what it has not is at RFC 9113's default (section 6.5.2). */
export interface PeerSettings {
  headerTableSize: number;
  maxConcurrentStreams: number;
  initialWindowSize: number;
  maxFrameSize: number;
  maxHeaderListSize: number;
}

export function defaultSettings(): PeerSettings {
  return {
    headerTableSize: DEFAULT_TABLE_SIZE,
    maxConcurrentStreams: Infinity,
    initialWindowSize: DEFAULT_WINDOW,
    maxFrameSize: MIN_MAX_FRAME_SIZE,
    maxHeaderListSize: Infinity,
  };
}

/**
 * Takes over the payload of a SETTINGS frame, in its order; unknown settings mean nothing.
 * @throws Http2Error ERR_HTTP2_PROTOCOL
 */
export function readSettings(payload: Uint8Array, settings: PeerSettings, peer: "client" | "server"): void {
  if (payload.length % 6 !== 0) {
    throw connectionError(ErrorCode.FRAME_SIZE_ERROR, `SETTINGS of ${payload.length} bytes`);
  }
  for (let at = 0; at < payload.length; at += 6) {
    const value = readU32(payload, at + 2);
    switch ((payload[at]! << 8) | payload[at + 1]!) {
      case HEADER_TABLE_SIZE:
        settings.headerTableSize = value;
        break;
      case ENABLE_PUSH:
        if (value > 1 || (value === 1 && peer === "server")) {
          throw connectionError(ErrorCode.PROTOCOL_ERROR, `SETTINGS_ENABLE_PUSH of ${value} from a ${peer}`);
        }
        break;
      case MAX_CONCURRENT_STREAMS:
        settings.maxConcurrentStreams = value;
        break;
      case INITIAL_WINDOW_SIZE:
        if (value > MAX_WINDOW) {
          throw connectionError(ErrorCode.FLOW_CONTROL_ERROR, `SETTINGS_INITIAL_WINDOW_SIZE of ${value}`);
        }
        settings.initialWindowSize = value;
        break;
      case MAX_FRAME_SIZE:
        if (value < MIN_MAX_FRAME_SIZE || value > MAX_MAX_FRAME_SIZE) {
          throw connectionError(ErrorCode.PROTOCOL_ERROR, `SETTINGS_MAX_FRAME_SIZE of ${value}`);
        }
        settings.maxFrameSize = value;
        break;
      case MAX_HEADER_LIST_SIZE:
        settings.maxHeaderListSize = value;
        break;
    }
  }
}

/** What this side says of itself; what is undefined stays at the default. */
export interface OwnSettings {
  readonly role: "client" | "server";
  readonly maxConcurrentStreams: number | undefined;
  readonly initialWindowSize: number;
  readonly maxFrameSize: number;
  readonly maxHeaderListSize: number;
}

/** The payload of a SETTINGS frame. */
export function writeSettings(own: OwnSettings): Buffer {
  const pairs: [number, number][] = [
    [INITIAL_WINDOW_SIZE, own.initialWindowSize],
    [MAX_FRAME_SIZE, own.maxFrameSize],
    [MAX_HEADER_LIST_SIZE, own.maxHeaderListSize],
  ];
  if (own.role === "client") pairs.push([ENABLE_PUSH, 0]);
  if (own.maxConcurrentStreams !== undefined) {
    pairs.push([MAX_CONCURRENT_STREAMS, own.maxConcurrentStreams]);
  }
  const payload = Buffer.alloc(pairs.length * 6);
  for (const [i, [id, value]] of pairs.entries()) {
    payload[i * 6 + 1] = id;
    putU32(payload, i * 6 + 2, value);
  }
  return payload;
}
