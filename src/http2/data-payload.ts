import { connectionError, ErrorCode } from "./errors.js";

/** Takes the padding out of a DATA frame's payload, whatever pieces that comes in (RFC 9113, section 6.1). */
export class DataPayload {
  /** The octet that says how much padding there is has yet to come. */
  #lengthToCome = false;
  #left = 0;
  #padding = 0;

  /** A frame begins. @param length bytes of its payload, with the padding */
  begin(length: number, padded: boolean): void {
    this.#left = length;
    this.#lengthToCome = padded;
    this.#padding = 0;
  }

  /**
   * Takes a piece of the payload, not empty; returns what of it is data.
   *
   * @param onPadding told once in a padded frame how much of it is no data, the octet that says so included
   * @throws Http2Error ERR_HTTP2_PROTOCOL when the padding is as long as its frame
   */
  push(chunk: Buffer, onPadding: (bytes: number) => void): Buffer {
    let piece = chunk;
    if (this.#lengthToCome) {
      this.#lengthToCome = false;
      this.#padding = piece[0]!;
      if (this.#padding >= this.#left)
        throw connectionError(ErrorCode.PROTOCOL_ERROR, "padding as long as its frame");
      piece = piece.subarray(1);
      this.#left--;
      onPadding(1 + this.#padding);
    }
    this.#left -= piece.length;
    if (this.#left >= this.#padding) return piece;
    // The end of the piece is padding, or all of it.
    const data = piece.subarray(0, Math.max(0, piece.length - (this.#padding - this.#left)));
    this.#padding = this.#left;
    return data;
  }
}
