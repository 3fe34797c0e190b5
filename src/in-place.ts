import { Socket } from "node:net";
import type { Duplex } from "node:stream";

/**
 * A source of bytes other than the connection's `data` events: its chunks are overwritten after each call. `next` tells
 * before each read which memory is best read into, where that matters; a reader may ignore it.
 */
export type InPlaceReader = (take: (chunk: Buffer) => void, next: () => Buffer | undefined) => void;

/** An {@link InPlaceReader} that can do without being told which memory to read into. */
type AnyMemoryReader = InPlaceReader & ((take: (chunk: Buffer) => void) => void);

/** Bytes that one read may take: what a peer has sent while this side was busy comes in few reads. */
const READ_BUFFER_SIZE = 262_144;

/** Where all such sockets are read to: what has been read is told before anything else can be. */
let shared: Buffer | undefined;

/** What TLS decrypts at a time (kClearOutChunkSize of Node's TLSWrap, the largest record's size). */
const TLS_BUFFER_SIZE = 16_384;

/** The last line of Node that this was tried on: what a later one makes of its sockets is not known before. */
const LAST_KNOWN_NODE = 26;

/** What a socket is read by (Node's lib/net.js, lib/internal/stream_base_commons.js). */
interface Internals {
  readonly _handle?: { readonly useUserBuffer?: (buffer: Uint8Array) => void } | null;
  [symbol: symbol]: unknown;
}

/**
 * Has a socket that is there already, such as an accepted one, be read like one that was dialled with `onread`: into memory
 * that is used again and again, and without `data` events. There is no such option for it, so this sets what net.Socket's
 * constructor sets for `onread`; the socket stays the same to those who hold it, but for its `data`. The source is to be asked
 * in the same turn of the event loop: what comes earlier has no place.
 *
 * @returns undefined, and the socket is as it was, where somebody reads already, or it still connects, or the
 * runtime's sockets are made differently (Bun, Deno), or may be (a Node newer than those that this was tried on)
 */
export function readInPlace(stream: Duplex): AnyMemoryReader | undefined {
  if (Number.parseInt(process.versions.node, 10) > LAST_KNOWN_NODE) return undefined;
  if (!(stream instanceof Socket) || stream.connecting) return undefined;
  if (stream.readableLength > 0 || stream.readableFlowing !== null) return undefined;
  const socket = stream as unknown as Internals;
  const symbols = Object.getOwnPropertySymbols(socket);
  const named = (name: string): symbol | undefined => symbols.find(({ description }) => description === name);
  const [whereTo, whereToNext, whomToTell] = [named("kBuffer"), named("kBufferGen"), named("kBufferCb")];
  const handle = socket._handle;
  if (whereTo === undefined || whereToNext === undefined || whomToTell === undefined) return undefined;
  if (typeof handle?.useUserBuffer !== "function") return undefined;
  const buffer = bufferOf(stream);
  try {
    handle.useUserBuffer(buffer);
  } catch {
    return undefined;
  }
  let take: ((chunk: Buffer) => void) | undefined;
  socket[whereTo] = buffer;
  socket[whomToTell] = (length: number, chunk: Buffer): boolean => {
    take?.(length === chunk.length ? chunk : chunk.subarray(0, length));
    return true;
  };
  return (reader: (chunk: Buffer) => void, next?: () => Buffer | undefined) => {
    take = reader;
    if (next !== undefined) socket[whereToNext] = () => next() ?? buffer;
    // For its end to be told.
    stream.resume();
  };
}

/** TLS may be told of bytes while those that carried them are being read, as in a stream of a session that is read in place itself. */
function bufferOf(socket: Socket): Buffer {
  if ("encrypted" in socket) return Buffer.allocUnsafeSlow(TLS_BUFFER_SIZE);
  shared ??= Buffer.allocUnsafeSlow(READ_BUFFER_SIZE);
  return shared;
}
