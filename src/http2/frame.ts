import { connectionError, ErrorCode, type Http2Error } from "./errors.js";

// Frame types (RFC 9113, section 6).
export const DATA = 0x0;
export const HEADERS = 0x1;
export const PRIORITY = 0x2;
export const RST_STREAM = 0x3;
export const SETTINGS = 0x4;
export const PUSH_PROMISE = 0x5;
export const PING = 0x6;
export const GOAWAY = 0x7;
export const WINDOW_UPDATE = 0x8;
export const CONTINUATION = 0x9;

// Flags.
export const ACK = 0x1;
export const END_STREAM = 0x1;
export const END_HEADERS = 0x4;
export const PADDED = 0x8;
export const PRIORITY_FLAG = 0x20;

export const HEADER_SIZE = 9;
/** What every peer accepts, and the least that SETTINGS_MAX_FRAME_SIZE may say. */
export const MIN_MAX_FRAME_SIZE = 16_384;
export const MAX_MAX_FRAME_SIZE = 0xff_ffff;
export const MAX_WINDOW = 0x7fff_ffff;
export const MAX_STREAM_ID = 0x7fff_ffff;
export const DEFAULT_WINDOW = 65_535;

/** What a client says first (RFC 9113, section 3.4). */
export const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

/** Writes a frame header of {@link HEADER_SIZE} bytes. */
export function putHeader(
  target: Uint8Array,
  at: number,
  length: number,
  type: number,
  flags: number,
  id: number,
): void {
  target[at] = length >>> 16;
  target[at + 1] = length >>> 8;
  target[at + 2] = length;
  target[at + 3] = type;
  target[at + 4] = flags;
  putU32(target, at + 5, id);
}

export function putU32(target: Uint8Array, at: number, value: number): void {
  target[at] = value >>> 24;
  target[at + 1] = value >>> 16;
  target[at + 2] = value >>> 8;
  target[at + 3] = value;
}

export function readU32(source: Uint8Array, at: number): number {
  return ((source[at]! << 24) | (source[at + 1]! << 16) | (source[at + 2]! << 8) | source[at + 3]!) >>> 0;
}

const typeNames = [
  "DATA",
  "HEADERS",
  "PRIORITY",
  "RST_STREAM",
  "SETTINGS",
  "PUSH_PROMISE",
  "PING",
  "GOAWAY",
  "WINDOW_UPDATE",
  "CONTINUATION",
];

/** A frame as a line of text, for traces and messages. */
export function describeFrame(type: number, flags: number, id: number, length: number): string {
  return `${typeNames[type] ?? `type ${type}`} flags=0x${flags.toString(16)} stream=${id} length=${length}`;
}

/** @internal A payload that is not as long as frames of its type are. */
export function wrongSize(type: number, length: number): Http2Error {
  return connectionError(
    ErrorCode.FRAME_SIZE_ERROR,
    `${describeFrame(type, 0, 0, length)} is no frame's size`,
  );
}
