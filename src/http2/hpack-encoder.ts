import { ENTRY_OVERHEAD, type HeaderList } from "./hpack-decoder.js";
import { STATIC_SIZE, staticNames, staticValues } from "./static-table.js";

/** The default of SETTINGS_HEADER_TABLE_SIZE, and the most that this encoder uses. */
export const DEFAULT_TABLE_SIZE = 4096;

const staticPairs = new Map<string, Map<string, number>>();
for (let index = STATIC_SIZE; index > 0; index--) {
  const name = staticNames[index]!;
  const values = staticPairs.get(name) ?? new Map<string, number>();
  values.set(staticValues[index]!, index);
  // The name alone: its first index.
  values.set("", index);
  staticPairs.set(name, values);
}

interface Entry {
  readonly name: string;
  readonly value: string;
  readonly number: number;
}

/**
 * Encodes lists of header fields (RFC 7541), without Huffman coding: what repeats goes into the table, where it costs
 * a byte or two from its second time on.
 */
export class HpackEncoder {
  readonly #entries: Entry[] = [];
  /** Entries at the front of the array that were evicted. */
  #gone = 0;
  /** By name and value: the entry's number; under the name alone the newest. Numbers count up from 1. */
  readonly #numbers = new Map<string, Map<string, number>>();
  readonly #newest = new Map<string, number>();
  #inserted = 0;
  #size = 0;
  #maxSize = DEFAULT_TABLE_SIZE;
  /** The least size since the last block, to be announced before the next one; none if it has not changed. */
  #announce: number | undefined;
  readonly #oneOff: (name: string, value: string) => boolean;

  /** @param oneOff which fields will hardly come again, and are not worth a place in the table */
  constructor(oneOff: (name: string, value: string) => boolean = () => false) {
    this.#oneOff = oneOff;
  }

  get tableSize(): number {
    return this.#size;
  }

  /** The peer's SETTINGS_HEADER_TABLE_SIZE; of a larger table this encoder uses 4096 bytes. */
  setMaxTableSize(allowed: number): void {
    const size = Math.min(allowed, DEFAULT_TABLE_SIZE);
    if (size === this.#maxSize && this.#announce === undefined) return;
    this.#announce = Math.min(size, this.#announce ?? size);
    this.#maxSize = size;
    this.#evict(0);
  }

  /** Encodes a list to `target`, which has room for {@link encodedBound}; returns where the block ends. */
  encode(headers: HeaderList, target: Buffer, start: number): number {
    let at = start;
    if (this.#announce !== undefined) {
      // Twice if the table was smaller in between: the peer must have dropped the same entries.
      if (this.#announce < this.#maxSize) at = putInteger(target, at, 0x20, 0x1f, this.#announce);
      at = putInteger(target, at, 0x20, 0x1f, this.#maxSize);
      this.#announce = undefined;
    }
    for (let i = 0; i < headers.length; i += 2) at = this.#field(headers[i]!, headers[i + 1]!, target, at);
    return at;
  }

  #field(name: string, value: string, target: Buffer, start: number): number {
    const number = this.#numbers.get(name)?.get(value);
    if (number !== undefined) return putInteger(target, start, 0x80, 0x7f, this.#index(number));
    const pair = staticPairs.get(name);
    const known = pair?.get(value);
    if (known !== undefined && staticValues[known] === value) {
      return putInteger(target, start, 0x80, 0x7f, known);
    }
    const newest = this.#newest.get(name);
    const nameIndex = pair?.get("") ?? (newest === undefined ? 0 : this.#index(newest));
    const size = name.length + value.length + ENTRY_OVERHEAD;
    const keep = size <= this.#maxSize >> 1 && !this.#oneOff(name, value);
    let at = keep
      ? putInteger(target, start, 0x40, 0x3f, nameIndex)
      : putInteger(target, start, 0, 0x0f, nameIndex);
    if (nameIndex === 0) at = putString(target, at, name);
    at = putString(target, at, value);
    if (keep) this.#insert(name, value, size);
    return at;
  }

  #index(number: number): number {
    return STATIC_SIZE + 1 + this.#inserted - number;
  }

  #insert(name: string, value: string, size: number): void {
    this.#evict(size);
    const number = ++this.#inserted;
    this.#entries.push({ name, value, number });
    this.#size += size;
    this.#newest.set(name, number);
    const values = this.#numbers.get(name);
    if (values === undefined) this.#numbers.set(name, new Map([[value, number]]));
    else values.set(value, number);
  }

  #evict(room: number): void {
    while (this.#size > 0 && this.#size + room > this.#maxSize) {
      const { name, value, number } = this.#entries[this.#gone++]!;
      this.#size -= name.length + value.length + ENTRY_OVERHEAD;
      if (this.#newest.get(name) === number) this.#newest.delete(name);
      const values = this.#numbers.get(name)!;
      values.delete(value);
      if (values.size === 0) this.#numbers.delete(name);
    }
    if (this.#gone > 64 && this.#gone * 2 > this.#entries.length) {
      this.#entries.splice(0, this.#gone);
      this.#gone = 0;
    }
  }
}

function putInteger(target: Buffer, start: number, pattern: number, mask: number, value: number): number {
  let at = start;
  if (value < mask) {
    target[at++] = pattern | value;
    return at;
  }
  target[at++] = pattern | mask;
  let rest = value - mask;
  while (rest >= 0x80) {
    target[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  target[at++] = rest;
  return at;
}

function putString(target: Buffer, start: number, text: string): number {
  const { length } = text;
  const at = putInteger(target, start, 0, 0x7f, length);
  if (length > 24) target.write(text, at, "latin1");
  else for (let i = 0; i < length; i++) target[at + i] = text.charCodeAt(i);
  return at + length;
}

/** A list's size by HTTP/2's reckoning (RFC 9113, section 6.5.2). */
export function listSize(headers: HeaderList): number {
  let size = 0;
  for (let i = 0; i < headers.length; i++) size += headers[i]!.length;
  return size + (headers.length >> 1) * ENTRY_OVERHEAD;
}

/** The most bytes that a list of this size takes: lengths and indexes need less than an entry's overhead. */
export function encodedBound(size: number): number {
  return size + 12;
}
