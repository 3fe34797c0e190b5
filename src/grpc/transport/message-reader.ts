import { keepFreedMemory } from "../../freed-memory.js";
import { decompress, MessageError, tooLarge } from "./compression.js";
import { Code } from "./status.js";

const HEADER_SIZE = 5;
/** Up to this a message has its memory before its bytes are there; beyond it a peer's word is not enough. */
const TRUSTED = 16 * 1024 * 1024;

/** Where a {@link MessageReader} delivers. */
export interface MessageSink {
  /** A message, unpacked; its memory is not used again. */
  message(message: Buffer): void;
}

/**
 * Cuts the body of a call into messages (gRPC: PROTOCOL-HTTP2.md, Length-Prefixed-Message). Small messages that lie
 * whole in one chunk are told where they lie.
 */
export class MessageReader {
  readonly #limit: number;
  readonly #sink: MessageSink;
  /** What compressed messages are compressed with, as the header fields said. */
  encoding: string | undefined;
  /** Of a header that came in pieces: what is there of it, and of the length that it says. */
  #headerBytes = 0;
  #length = 0;
  #compressed = false;
  /** Bytes of the message that are to come. -1 while its header is. */
  #left = -1;
  #whole: Buffer | undefined;
  #parts: Buffer[] | undefined;

  /** @param limit bytes of a message */
  constructor(limit: number, sink: MessageSink) {
    this.#limit = limit;
    this.#sink = sink;
  }

  /** Whether the body so far ends between two messages. */
  get atBoundary(): boolean {
    return this.#left < 0 && this.#headerBytes === 0;
  }

  /**
   * @param mayKeep the chunk's memory is not used again
   * @throws MessageError, and whatever onMessage throws
   */
  push(given: Buffer, mayKeep: boolean): void {
    let chunk = given;
    let isKept = mayKeep;
    let end = chunk.length;
    let at = 0;
    while (at < end) {
      if (this.#left < 0) {
        if (this.#headerBytes === 0 && end - at >= HEADER_SIZE) {
          this.#begin(chunk[at]!, readU32(chunk, at + 1));
          at += HEADER_SIZE;
        } else if (!this.#headerByte(chunk[at++]!)) continue;
        const length = this.#left;
        if (length <= end - at) {
          this.#left = -1;
          if (!isKept) {
            // Once for all the messages in it: to take memory, or a view of it, costs more than the copy.
            const start = copyToPool(chunk);
            at += start;
            end += start;
            chunk = pool;
            isKept = true;
          }
          const message = chunk.subarray(at, at + length);
          at += length;
          this.#tell(message);
        } else if (length <= TRUSTED) {
          keepFreedMemory(length);
          this.#whole = Buffer.allocUnsafeSlow(length);
        }
        continue;
      }
      const taken = Math.min(this.#left, end - at);
      if (this.#whole !== undefined) chunk.copy(this.#whole, this.#whole.length - this.#left, at, at + taken);
      else {
        this.#parts ??= [];
        const part = chunk.subarray(at, at + taken);
        this.#parts.push(isKept ? part : Buffer.from(part));
      }
      this.#left -= taken;
      at += taken;
      if (this.#left > 0) continue;
      const message = this.#whole ?? Buffer.concat(this.#parts!);
      this.#left = -1;
      this.#whole = undefined;
      this.#parts = undefined;
      this.#tell(message);
    }
  }

  /** Takes one byte of a header that comes in pieces; true with its last. */
  #headerByte(byte: number): boolean {
    if (this.#headerBytes === 0) this.#compressed = flagOf(byte);
    else this.#length = this.#length * 256 + byte;
    if (++this.#headerBytes < HEADER_SIZE) return false;
    const length = this.#length;
    this.#headerBytes = 0;
    this.#length = 0;
    this.#begin(this.#compressed ? 1 : 0, length);
    return true;
  }

  #begin(flag: number, length: number): void {
    this.#compressed = flagOf(flag);
    if (length > this.#limit) throw tooLarge("Received message larger than max", length, this.#limit);
    this.#left = length;
  }

  #tell(message: Buffer): void {
    this.#sink.message(this.#compressed ? decompress(message, this.encoding, this.#limit) : message);
  }
}

/** Copies share memory. Who keeps a message keeps the 64 KiB around it, as with what Node reads. */
const POOL_SIZE = 65_536;
let pool = Buffer.alloc(0);
let used = 0;

/** Returns where in the pool the copy begins: without a view of it. */
function copyToPool(chunk: Buffer): number {
  const { length } = chunk;
  if (used + length > pool.length) {
    pool = Buffer.allocUnsafeSlow(Math.max(POOL_SIZE, length));
    used = 0;
  }
  const start = used;
  pool.set(chunk, start);
  used += length;
  return start;
}

function flagOf(byte: number): boolean {
  if (byte > 1) throw new MessageError(Code.INTERNAL, `grpc: received unexpected payload format ${byte}`);
  return byte === 1;
}

function readU32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

/** Used again and again: what writes it out has copied it by then. */
const header = new Uint8Array(HEADER_SIZE);

/** What goes before a message. Valid until the next call. */
export function messageHeader(length: number, compressed: boolean): Uint8Array {
  header[0] = compressed ? 1 : 0;
  header[1] = length >>> 24;
  header[2] = length >>> 16;
  header[3] = length >>> 8;
  header[4] = length;
  return header;
}
