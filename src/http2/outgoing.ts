import type { FloodGuard } from "./flood-guard.js";
import {
  CONTINUATION,
  DEFAULT_WINDOW,
  END_HEADERS,
  END_STREAM,
  HEADERS,
  MAX_WINDOW,
  MIN_MAX_FRAME_SIZE,
} from "./frame.js";
import type { HeaderList } from "./hpack-decoder.js";
import { encodedBound, HpackEncoder, listSize } from "./hpack-encoder.js";
import { defaultSettings, type PeerSettings, readSettings } from "./settings.js";
import type { FrameWriter } from "./writer.js";

/** What one frame of a peer that takes more than the least may carry. */
const MAX_SEND_FRAME = 65_536;
/** grpc-go does not say how large a list it takes, and ends its connection over one that is larger than this. */
const MAX_SEND_HEADER_LIST = 16 * 1024 * 1024;
/** What a stream sends before it is the next one's turn. */
const QUANTUM = 65_536;

/** One that has DATA to send, and waits for the connection. */
export interface Waiting {
  /** The connection has room: sends up to `limit` bytes, and waits again if that is not all. */
  room(limit: number): void;
}

/** What streams send through: HPACK's table, the peer's limits, the connection's window, and turns in it. */
export class Outgoing {
  readonly writer: FrameWriter;
  /** What the peer has said of itself. */
  readonly peer: Readonly<PeerSettings>;
  /** Bytes of DATA that the connection may still carry. */
  window = DEFAULT_WINDOW;
  /** Bytes that one frame may carry. */
  maxFrame = MIN_MAX_FRAME_SIZE;
  /** Bytes of a list of header fields, by HTTP/2's reckoning. */
  maxHeaderList = MAX_SEND_HEADER_LIST;
  readonly #peer = defaultSettings();
  readonly #guard: FloodGuard;
  readonly #encoder: HpackEncoder;
  #waiting = new Set<Waiting>();

  /** @param oneOff which header fields are not worth a place in HPACK's table */
  constructor(
    writer: FrameWriter,
    guard: FloodGuard,
    oneOff: ((name: string, value: string) => boolean) | undefined,
  ) {
    this.writer = writer;
    this.peer = this.#peer;
    this.#guard = guard;
    this.#encoder = new HpackEncoder(oneOff);
  }

  /** Sends header fields. False, and nothing is sent, if the list is larger than the peer takes. */
  headers(id: number, list: HeaderList, end: boolean): boolean {
    const size = listSize(list);
    if (size > this.maxHeaderList) return false;
    this.#guard.progress();
    const bound = encodedBound(size);
    const ending = end ? END_STREAM : 0;
    if (bound <= MIN_MAX_FRAME_SIZE) {
      this.writer.headers(ending | END_HEADERS, id, bound, this.#encoder, list);
      return true;
    }
    const target = Buffer.allocUnsafe(bound);
    const block = target.subarray(0, this.#encoder.encode(list, target, 0));
    const most = this.maxFrame;
    for (let at = 0; at < block.length; at += most) {
      const type = at === 0 ? HEADERS : CONTINUATION;
      const flags = (at === 0 ? ending : 0) | (at + most >= block.length ? END_HEADERS : 0);
      this.writer.large(type, flags, id, block.subarray(at, at + most));
    }
    return true;
  }

  /** Whether a DATA frame of so many bytes can go out at once. */
  mayCarry(length: number): boolean {
    return length <= this.window && length <= this.maxFrame && !this.writer.congested;
  }

  /** Sends a DATA frame of `length` bytes: `lead`, if any, and `chunk`. */
  data(id: number, end: boolean, lead: Uint8Array | undefined, chunk: Uint8Array, length: number): void {
    this.window -= length;
    this.#guard.progress();
    this.writer.data(id, end, lead, chunk);
  }

  /** Calls `room` when the connection has some. */
  awaitRoom(waiting: Waiting): void {
    this.#waiting.add(waiting);
  }

  forget(waiting: Waiting): void {
    this.#waiting.delete(waiting);
  }

  /** The peer takes more. False on an overflow. */
  addWindow(delta: number): boolean {
    if (this.window + delta > MAX_WINDOW) return false;
    this.window += delta;
    this.serve();
    return true;
  }

  /**
   * Takes the payload of the peer's SETTINGS over, and returns by how much the windows of its streams change.
   * @throws Http2Error ERR_HTTP2_PROTOCOL
   */
  settings(payload: Buffer, peerRole: "client" | "server"): number {
    const peer = this.#peer;
    const before = peer.initialWindowSize;
    readSettings(payload, peer, peerRole);
    this.maxFrame = Math.min(peer.maxFrameSize, MAX_SEND_FRAME);
    this.maxHeaderList = Math.min(peer.maxHeaderListSize, MAX_SEND_HEADER_LIST);
    this.#encoder.setMaxTableSize(peer.headerTableSize);
    return peer.initialWindowSize - before;
  }

  /** Lets those that wait send, by turns, so that a large message does not hold up small ones. */
  serve(): void {
    do {
      const waiting = this.#waiting;
      if (waiting.size === 0) return;
      this.#waiting = new Set();
      for (const each of waiting) each.room(QUANTUM);
    } while (this.window > 0 && !this.writer.congested);
  }

  /** Nothing is sent any more. */
  end(): void {
    this.#waiting.clear();
  }
}
