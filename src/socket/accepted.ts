import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { InPlaceReader } from "./connect.js";

/** Bytes that one read may take: what a peer has sent while this side was busy comes in few reads. */
const READ_BUFFER_SIZE = 262_144;

/** Where all accepted sockets are read to: what has been read is told before anything else can be. */
let buffer: Buffer | undefined;

/** The last line of Node that this was tried on: what a later one makes of its sockets is not known before. */
const LAST_KNOWN_NODE = 26;

/** What a socket is read by (Node's lib/net.js, lib/internal/stream_base_commons.js). */
interface Internals {
  readonly _handle?: { readonly useUserBuffer?: (buffer: Uint8Array) => void } | null;
  [symbol: symbol]: unknown;
}

/**
 * Has a socket that was accepted be read like a dialled one with `onread`: into one buffer that is used again and again,
 * and without `data` events. net.Server has no such option, so this sets what net.Socket's constructor sets for `onread`; the
 * socket stays the same to those who hold it, but for its `data`.
 *
 * @returns undefined, and the socket is as it was, where somebody reads already, or the runtime's sockets are made
 * differently (Bun, Deno), or may be (a Node newer than those that this was tried on)
 */
export function readAccepted(stream: Duplex): InPlaceReader | undefined {
  if (Number.parseInt(process.versions.node, 10) > LAST_KNOWN_NODE) return undefined;
  if (!(stream instanceof Socket) || stream.readableLength > 0 || stream.readableFlowing !== null)
    return undefined;
  const socket = stream as unknown as Internals;
  const symbols = Object.getOwnPropertySymbols(socket);
  const whereTo = symbols.find(({ description }) => description === "kBuffer");
  const whomToTell = symbols.find(({ description }) => description === "kBufferCb");
  const handle = socket._handle;
  if (whereTo === undefined || whomToTell === undefined || typeof handle?.useUserBuffer !== "function")
    return undefined;
  buffer ??= Buffer.allocUnsafeSlow(READ_BUFFER_SIZE);
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
  return (reader) => {
    take = reader;
    // For its end to be told.
    stream.resume();
  };
}
