// The header of a yamux frame: version u8, type u8, flags u16, stream id u32, length u32, big-endian
// (spec.md, "Framing"; const.go).

export const HEADER_SIZE = 12;
export const VERSION = 0;

export const DATA = 0;
export const WINDOW_UPDATE = 1;
export const PING = 2;
export const GO_AWAY = 3;

// Flags are a mask: a frame may carry several, and unknown bits are ignored.
export const SYN = 1;
export const ACK = 2;
export const FIN = 4;
export const RST = 8;

export const GO_AWAY_NORMAL = 0;
export const GO_AWAY_PROTOCOL_ERROR = 1;
export const GO_AWAY_INTERNAL_ERROR = 2;

/** Puts a header at `offset`, where there must be room for 12 bytes. */
export function putHeader(
  target: Uint8Array,
  offset: number,
  type: number,
  flags: number,
  id: number,
  length: number,
): void {
  target[offset] = VERSION;
  target[offset + 1] = type;
  target[offset + 2] = flags >>> 8;
  target[offset + 3] = flags;
  target[offset + 4] = id >>> 24;
  target[offset + 5] = id >>> 16;
  target[offset + 6] = id >>> 8;
  target[offset + 7] = id;
  target[offset + 8] = length >>> 24;
  target[offset + 9] = length >>> 16;
  target[offset + 10] = length >>> 8;
  target[offset + 11] = length;
}

/** Reads a big-endian u32. */
export function readU32(source: Uint8Array, offset: number): number {
  return (
    ((source[offset]! << 24) |
      (source[offset + 1]! << 16) |
      (source[offset + 2]! << 8) |
      source[offset + 3]!) >>>
    0
  );
}

const typeNames = ["DATA", "WINDOW_UPDATE", "PING", "GO_AWAY"];

/** One line for wire traces. */
export function describeFrame(type: number, flags: number, id: number, length: number): string {
  const names: string[] = [];
  if (flags & SYN) names.push("SYN");
  if (flags & ACK) names.push("ACK");
  if (flags & FIN) names.push("FIN");
  if (flags & RST) names.push("RST");
  return `${typeNames[type] ?? `type ${type}`} ${names.join("|") || "-"} stream ${id} length ${length}`;
}
