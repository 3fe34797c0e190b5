import { connectionError, ErrorCode } from "./errors.js";
import { decodeHuffman } from "./huffman.js";
import { STATIC_SIZE, staticNames, staticValues } from "./static-table.js";

/** What an entry counts beside its name and value (RFC 7541, section 4.1; RFC 9113, section 6.5.2). */
export const ENTRY_OVERHEAD = 32;

/** A list of header fields: names and values by turns, one character an octet. */
export type HeaderList = string[];

/** What a block of header fields said. */
export interface DecodedBlock {
  /** Names and values by turns. */
  readonly headers: HeaderList;
  /** The list's size in the sense of SETTINGS_MAX_HEADER_LIST_SIZE was above the limit: the rest was left out. */
  readonly truncated: boolean;
  /** A name or value has characters that HTTP/2 forbids (RFC 9113, section 8.2.1): the message is malformed. */
  readonly malformed: boolean;
}

/**
 * Decodes blocks of header fields (RFC 7541). The blocks of a connection share a table, so each must be decoded, in
 * order, whatever becomes of its stream.
 */
export class HpackDecoder {
  readonly #allowed: number;
  readonly #maxListSize: number;
  // A ring: entries never count less than their overhead.
  readonly #mask: number;
  readonly #names: string[];
  readonly #values: string[];
  readonly #wellFormed: boolean[];
  #inserted = 0;
  #entries = 0;
  #size = 0;
  #maxSize: number;

  // The block that is being read.
  #block: Buffer = Buffer.alloc(0);
  #at = 0;
  #headers: HeaderList = [];
  #listSize = 0;
  #truncated = false;
  #malformed = false;

  /**
   * @param tableSize bytes of the table that this side allows its peer (SETTINGS_HEADER_TABLE_SIZE)
   * @param maxListSize bytes of a list (SETTINGS_MAX_HEADER_LIST_SIZE)
   */
  constructor(tableSize: number, maxListSize: number) {
    this.#allowed = tableSize;
    this.#maxSize = tableSize;
    this.#maxListSize = maxListSize;
    let capacity = 1;
    while (capacity * ENTRY_OVERHEAD < tableSize) capacity *= 2;
    this.#mask = capacity - 1;
    this.#names = new Array<string>(capacity).fill("");
    this.#values = new Array<string>(capacity).fill("");
    this.#wellFormed = new Array<boolean>(capacity).fill(true);
  }

  /** The table's size now, and the most that the peer lets it have. */
  get tableSize(): number {
    return this.#size;
  }

  get maxTableSize(): number {
    return this.#maxSize;
  }

  /** @throws Http2Error ERR_HTTP2_PROTOCOL with COMPRESSION_ERROR: the connection cannot go on */
  decode(block: Buffer): DecodedBlock {
    this.#block = block;
    this.#at = 0;
    this.#headers = [];
    this.#listSize = 0;
    this.#truncated = false;
    this.#malformed = false;
    while (this.#at < block.length) {
      const first = block[this.#at]!;
      if (first >= 0x80) this.#indexed(this.#integer(0x7f));
      else if (first >= 0x40) this.#literal(this.#integer(0x3f), true);
      else if (first >= 0x20) this.#resize(this.#integer(0x1f));
      else this.#literal(this.#integer(0x0f), false);
    }
    const headers = this.#headers;
    this.#block = NOTHING;
    return { headers, truncated: this.#truncated, malformed: this.#malformed };
  }

  #indexed(index: number): void {
    if (index === 0) throw broken("index 0");
    if (index <= STATIC_SIZE) this.#emit(staticNames[index]!, staticValues[index]!, true);
    else {
      const slot = this.#slot(index);
      this.#emit(this.#names[slot]!, this.#values[slot]!, this.#wellFormed[slot]!);
    }
  }

  #literal(index: number, keep: boolean): void {
    let name: string;
    let wellFormed = true;
    if (index === 0) {
      name = this.#string();
      wellFormed = isName(name);
    } else if (index <= STATIC_SIZE) name = staticNames[index]!;
    else {
      const slot = this.#slot(index);
      name = this.#names[slot]!;
      wellFormed = isName(name);
    }
    const value = this.#string();
    wellFormed &&= isValue(value);
    if (keep) this.#insert(name, value, wellFormed);
    this.#emit(name, value, wellFormed);
  }

  /** A size update: only at the start of a block (RFC 7541, section 4.2). */
  #resize(size: number): void {
    if (this.#listSize > 0) throw broken("a change of the table's size amid header fields");
    if (size > this.#allowed)
      throw broken(`a table of ${size} bytes, more than the ${this.#allowed} allowed`);
    this.#maxSize = size;
    this.#evict(0);
  }

  #emit(name: string, value: string, wellFormed: boolean): void {
    if (!wellFormed) this.#malformed = true;
    this.#listSize += name.length + value.length + ENTRY_OVERHEAD;
    if (this.#listSize > this.#maxListSize) this.#truncated = true;
    else this.#headers.push(name, value);
  }

  #insert(name: string, value: string, wellFormed: boolean): void {
    const size = name.length + value.length + ENTRY_OVERHEAD;
    this.#evict(size);
    // One that is larger than the whole table leaves it empty, and is no error (RFC 7541, section 4.4).
    if (size > this.#maxSize) return;
    const slot = this.#inserted++ & this.#mask;
    this.#names[slot] = name;
    this.#values[slot] = value;
    this.#wellFormed[slot] = wellFormed;
    this.#size += size;
    this.#entries++;
  }

  #evict(room: number): void {
    while (this.#entries > 0 && this.#size + room > this.#maxSize) {
      const oldest = (this.#inserted - this.#entries) & this.#mask;
      this.#size -= this.#names[oldest]!.length + this.#values[oldest]!.length + ENTRY_OVERHEAD;
      this.#entries--;
      // Not kept alive: a value may be as long as the table.
      this.#names[oldest] = "";
      this.#values[oldest] = "";
    }
  }

  #slot(index: number): number {
    const back = index - STATIC_SIZE;
    if (back > this.#entries) throw broken(`index ${index}, beyond the table`);
    return (this.#inserted - back) & this.#mask;
  }

  /** RFC 7541, section 5.1. The prefix's mask says how many bits of the first octet belong to the number. */
  #integer(mask: number): number {
    const block = this.#block;
    let value = block[this.#at++]! & mask;
    if (value < mask) return value;
    for (let shift = 0; ; shift += 7) {
      const octet = block[this.#at++];
      if (octet === undefined) throw broken("a number without end");
      // No number that means anything here needs more than four octets.
      if (shift > 21) throw broken("a number beyond all sizes");
      value += (octet & 0x7f) << shift;
      if (octet < 0x80) return value;
    }
  }

  #string(): string {
    const first = this.#block[this.#at];
    if (first === undefined) throw broken("a header field without end");
    const length = this.#integer(0x7f);
    const start = this.#at;
    const end = start + length;
    if (end > this.#block.length) throw broken("a string without end");
    this.#at = end;
    if (first < 0x80) return this.#block.toString("latin1", start, end);
    const text = decodeHuffman(this.#block, start, end);
    if (text === undefined) throw broken("an invalid Huffman string");
    return text;
  }
}

const NOTHING = Buffer.alloc(0);

function broken(what: string): Error {
  return connectionError(ErrorCode.COMPRESSION_ERROR, `${what} in a block of header fields`);
}

/** Characters of a field name: HTTP's token in lower case; a pseudo-header's colon leads it. */
const nameCharacters = new Uint8Array(256);
for (const character of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz") {
  nameCharacters[character.charCodeAt(0)] = 1;
}

function isName(name: string): boolean {
  const start = name.charCodeAt(0) === 0x3a ? 1 : 0;
  if (name.length === start) return false;
  for (let i = start; i < name.length; i++) if (nameCharacters[name.charCodeAt(i)] !== 1) return false;
  return true;
}

function isValue(value: string): boolean {
  for (let i = 0; i < value.length; i++) {
    const c = value.charCodeAt(i);
    if ((c < 0x20 && c !== 0x09) || c === 0x7f) return false;
  }
  return true;
}
