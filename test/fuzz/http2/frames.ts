// Arbitrary frames: such as follow the rules, such as nearly do, and noise.
import fc from "fast-check";
import {
  ACK,
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  GOAWAY,
  HEADERS,
  PADDED,
  PING,
  PRIORITY,
  PRIORITY_FLAG,
  PUSH_PROMISE,
  RST_STREAM,
  SETTINGS,
  WINDOW_UPDATE,
} from "../../../src/http2/frame.js";
import type { Frame } from "./wire.js";

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");

/** Blocks of header fields: a request, a response, trailers, one with an entry for the table, a table's size, and faults. */
const blocks = [
  "83 86 84 41 04 74657374",
  "88",
  "00 05 782d627974 01 35",
  "83 86 84 41 04 74657374 40 01 61 01 62",
  "be",
  "20 83 86 84 41 04 74657374",
  "3f e1 ff 03 83 86 84",
  "83 86 84 00 01 41 01 62",
  "84 86 83 ff ff ff ff ff",
  "00 0e 636f6e74656e742d6c656e677468 01 35",
  "48 03 313033",
  "",
].map(hex);

const block = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...blocks) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes)) },
);
const id = fc.constantFrom(0, 1, 1, 1, 3, 3, 3, 5, 7, 9, 2, 0x7fff_fffd);
const number = fc
  .constantFrom(0, 1, 8, 100, 1000, 65_535, 16_384, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff)
  .map((value) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return bytes;
  });
const setting = fc.tuple(fc.constantFrom(1, 2, 3, 4, 5, 6, 7, 99), number).map(([key, value]) => {
  return Buffer.concat([Buffer.of(0, key), value]);
});
const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((array) => Buffer.from(array));
/** A body, mostly small, and such as fills windows. */
const body = fc.oneof(
  bytes(40),
  fc.constantFrom(0, 500, 3000, 4001, 16_384, 16_385).map((size) => Buffer.alloc(size, 0x61)),
);

function made(
  type: number,
  payload: fc.Arbitrary<Buffer>,
  flags: readonly number[],
  ids: fc.Arbitrary<number> = id,
): fc.Arbitrary<Frame> {
  return fc.record({
    type: fc.constant(type),
    flags: fc.constantFrom(...flags),
    id: ids,
    payload,
    length: fc.constant(undefined),
  });
}

const zero = fc.oneof({ weight: 8, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: id });
const whole = END_HEADERS | END_STREAM;

/** Frames that are whole: their headers tell the truth. */
export const frame: fc.Arbitrary<Frame> = fc.oneof(
  {
    weight: 6,
    arbitrary: made(HEADERS, block, [END_HEADERS, END_HEADERS, whole, whole, 0, END_STREAM, PADDED | whole]),
  },
  { weight: 1, arbitrary: made(HEADERS, bytes(20), [PRIORITY_FLAG | whole, PADDED | PRIORITY_FLAG | whole]) },
  { weight: 3, arbitrary: made(CONTINUATION, block, [END_HEADERS, 0]) },
  { weight: 6, arbitrary: made(DATA, body, [0, 0, END_STREAM, PADDED, 0xff]) },
  { weight: 2, arbitrary: made(RST_STREAM, number, [0]) },
  { weight: 2, arbitrary: made(WINDOW_UPDATE, number, [0]) },
  { weight: 1, arbitrary: made(WINDOW_UPDATE, number, [0], fc.constant(0)) },
  {
    weight: 2,
    arbitrary: made(
      SETTINGS,
      fc.array(setting, { maxLength: 4 }).map((all) => Buffer.concat(all)),
      [0, 0, 0, ACK],
      zero,
    ),
  },
  { weight: 1, arbitrary: made(PING, fc.constantFrom(Buffer.alloc(8, 7), Buffer.alloc(7)), [0, ACK], zero) },
  { weight: 1, arbitrary: made(GOAWAY, bytes(12), [0], zero) },
  { weight: 1, arbitrary: made(PRIORITY, bytes(6), [0]) },
  { weight: 1, arbitrary: made(PUSH_PROMISE, bytes(12), [0, END_HEADERS]) },
  { weight: 1, arbitrary: made(0x77, bytes(12), [0, 0xff]) },
);

/** A change of a conversation that was good. */
export type Mutation =
  | { kind: "drop"; at: number }
  | { kind: "repeat"; at: number }
  | { kind: "swap"; at: number; with: number }
  | { kind: "insert"; at: number; frame: Frame }
  | { kind: "flip"; at: number; byte: number; bits: number }
  | { kind: "header"; at: number; field: "type" | "flags" | "id" | "length"; value: number }
  | { kind: "cut"; at: number; bytes: number };

const at = fc.nat(200);
export const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.record({ kind: fc.constant("drop" as const), at }),
  fc.record({ kind: fc.constant("repeat" as const), at }),
  fc.record({ kind: fc.constant("swap" as const), at, with: at }),
  fc.record({ kind: fc.constant("insert" as const), at, frame }),
  fc.record({
    kind: fc.constant("flip" as const),
    at,
    byte: fc.nat(2000),
    bits: fc.integer({ min: 1, max: 255 }),
  }),
  fc.record({
    kind: fc.constant("header" as const),
    at,
    field: fc.constantFrom("type" as const, "flags" as const, "id" as const, "length" as const),
    value: fc.oneof(fc.nat(9), fc.nat(0xff_ffff)),
  }),
  fc.record({ kind: fc.constant("cut" as const), at, bytes: fc.nat(100) }),
);

/** The frames with the changes, one after another. */
export function mutate(frames: readonly Frame[], mutations: readonly Mutation[]): Frame[] {
  const all = [...frames];
  for (const change of mutations) {
    if (all.length === 0) break;
    const i = change.at % all.length;
    const old = all[i]!;
    if (change.kind === "drop") all.splice(i, 1);
    else if (change.kind === "repeat") all.splice(i, 0, old);
    else if (change.kind === "insert") all.splice(i, 0, change.frame);
    else if (change.kind === "swap") {
      const other = change.with % all.length;
      all[i] = all[other]!;
      all[other] = old;
    } else if (change.kind === "flip") {
      const payload = Buffer.from(old.payload);
      if (payload.length > 0) payload[change.byte % payload.length]! ^= change.bits;
      all[i] = { ...old, payload };
    } else if (change.kind === "cut") {
      all[i] = { ...old, payload: old.payload.subarray(0, Math.max(0, old.payload.length - change.bytes)) };
    } else {
      const value = change.field === "type" || change.field === "flags" ? change.value & 0xff : change.value;
      all[i] = { ...old, [change.field]: value };
    }
  }
  return all;
}
