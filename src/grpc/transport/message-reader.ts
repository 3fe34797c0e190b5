import { decompress, MessageError, tooLarge } from "./compression.js";
import { Code } from "./status.js";

const HEADER_SIZE = 5;
/** Up to this a message has its memory before its bytes are there; beyond it a peer's word is not enough. */
const TRUSTED = 16 * 1024 * 1024;

/**
 * Cuts the body of a call into messages (gRPC: PROTOCOL-HTTP2.md, Length-Prefixed-Message). Small messages that lie
 * whole in one chunk are told where they lie.
 */
export class MessageReader {
  readonly #limit: number;
  readonly #onMessage: (message: Buffer) => void;
  /** What compressed messages are compressed with, as the header fields said. */
  encoding: string | undefined;
  readonly #header = Buffer.alloc(HEADER_SIZE);
  #headerBytes = 0;
  #compressed = false;
  /** Bytes of the message that are to come. -1 while its header is. */
  #left = -1;
  #whole: Buffer | undefined;
  #parts: Buffer[] = [];

  /** @param limit bytes of a message */
  constructor(limit: number, onMessage: (message: Buffer) => void) {
    this.#limit = limit;
    this.#onMessage = onMessage;
  }

  /** Whether the body so far ends between two messages. */
  get atBoundary(): boolean {
    return this.#left < 0 && this.#headerBytes === 0;
  }

  /**
   * @param mayKeep the chunk's memory is not used again
   * @throws MessageError, and whatever onMessage throws
   */
  push(chunk: Buffer, mayKeep: boolean): void {
    const end = chunk.length;
    let at = 0;
    while (at < end) {
      if (this.#left < 0) {
        if (this.#headerBytes === 0 && end - at >= HEADER_SIZE) {
          this.#begin(chunk, at);
          at += HEADER_SIZE;
        } else {
          this.#header[this.#headerBytes++] = chunk[at++]!;
          if (this.#headerBytes < HEADER_SIZE) continue;
          this.#headerBytes = 0;
          this.#begin(this.#header, 0);
        }
        const length = this.#left;
        if (length <= end - at) {
          this.#left = -1;
          const message = chunk.subarray(at, at + length);
          at += length;
          this.#tell(mayKeep ? message : Buffer.from(message));
        } else if (length <= TRUSTED) this.#whole = Buffer.allocUnsafeSlow(length);
        continue;
      }
      const taken = Math.min(this.#left, end - at);
      if (this.#whole !== undefined) chunk.copy(this.#whole, this.#whole.length - this.#left, at, at + taken);
      else {
        const part = chunk.subarray(at, at + taken);
        this.#parts.push(mayKeep ? part : Buffer.from(part));
      }
      this.#left -= taken;
      at += taken;
      if (this.#left > 0) continue;
      const message = this.#whole ?? Buffer.concat(this.#parts);
      this.#left = -1;
      this.#whole = undefined;
      this.#parts = [];
      this.#tell(message);
    }
  }

  #begin(bytes: Buffer, at: number): void {
    const flag = bytes[at]!;
    if (flag > 1) throw new MessageError(Code.INTERNAL, `grpc: received unexpected payload format ${flag}`);
    this.#compressed = flag === 1;
    const length = bytes.readUInt32BE(at + 1);
    if (length > this.#limit) throw tooLarge("Received message larger than max", length, this.#limit);
    this.#left = length;
  }

  #tell(message: Buffer): void {
    this.#onMessage(this.#compressed ? decompress(message, this.encoding, this.#limit) : message);
  }
}

/** What goes before a message. */
export function messageHeader(length: number, compressed: boolean): Buffer {
  const header = Buffer.allocUnsafe(HEADER_SIZE);
  header[0] = compressed ? 1 : 0;
  header.writeUInt32BE(length, 1);
  return header;
}
