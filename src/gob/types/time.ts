import { custom } from "../schema/custom.js";
import type { Schema } from "../schema/schema.js";

/** Seconds from Go's year 1 to the Unix epoch. */
const UNIX_TO_INTERNAL = 62_135_596_800n;
/** Go's zero time, 1 January of year 1, in Unix seconds. */
const ZERO_SECONDS = -UNIX_TO_INTERNAL;
const UTC_MINUTES = -1;
const MAX_DATE_SECONDS = 8_640_000_000_000n;

/**
 * Go's time.Time as it travels: the instant in full, and the zone's offset. The zone's name, the location and the
 * monotonic clock do not travel.
 */
export class GoTime {
  /** Seconds since the Unix epoch. */
  readonly unixSeconds: bigint;
  /** 0 to 999,999,999. */
  readonly nanoseconds: number;
  /** Seconds east of UTC, or "UTC", which Go tells from an offset of zero. */
  readonly offset: number | "UTC";

  /**
   * An instant, by default in UTC. Throws RangeError when nanoseconds are no integer below 10^9, or the offset is beyond
   * -32767 to 32767 minutes.
   */
  constructor(unixSeconds: bigint | number, nanoseconds = 0, offset: number | "UTC" = "UTC") {
    this.unixSeconds = BigInt(unixSeconds);
    if (!Number.isInteger(nanoseconds) || nanoseconds < 0 || nanoseconds > 999_999_999)
      throw new RangeError(`nanoseconds must be an integer below 10^9, not ${nanoseconds}`);
    if (offset !== "UTC" && (!Number.isInteger(offset) || Math.abs(offset) > 0x7fff * 60))
      throw new RangeError(`zone offset must be seconds within ±32767 minutes, not ${offset}`);
    this.nanoseconds = nanoseconds;
    this.offset = offset;
  }

  /** The instant of a Date, in UTC. */
  static fromDate(date: Date): GoTime {
    const ms = date.getTime();
    if (Number.isNaN(ms)) throw new RangeError("the Date is invalid");
    const seconds = Math.floor(ms / 1000);
    return new GoTime(seconds, (ms - seconds * 1000) * 1_000_000);
  }

  /** Go's zero time: 0001-01-01 00:00:00 UTC. */
  static zero(): GoTime {
    return new GoTime(ZERO_SECONDS);
  }

  /** Go's IsZero. */
  get isZero(): boolean {
    return this.unixSeconds === ZERO_SECONDS && this.nanoseconds === 0;
  }

  /** The instant as a Date, its nanoseconds cut to milliseconds. Throws RangeError beyond what Date can hold. */
  toDate(): Date {
    if (this.unixSeconds > MAX_DATE_SECONDS || this.unixSeconds < -MAX_DATE_SECONDS)
      throw new RangeError(`${this.unixSeconds} s is beyond what Date can hold`);
    return new Date(Number(this.unixSeconds) * 1000 + Math.floor(this.nanoseconds / 1_000_000));
  }
}

/** Go's Time.MarshalBinary: version, seconds since year 1, nanoseconds, offset in minutes (version 2: and seconds). */
function encodeTime(value: GoTime | Date): Uint8Array {
  const time = value instanceof Date ? GoTime.fromDate(value) : value;
  if (!(time instanceof GoTime)) throw new TypeError("time.Time takes a Date or a GoTime");
  const { offset } = time;
  const minutes = offset === "UTC" ? UTC_MINUTES : Math.trunc(offset / 60);
  const seconds = offset === "UTC" ? 0 : offset % 60;
  // −1 minute is how UTC is written, so that Go refuses every offset that it would stand in.
  if (offset !== "UTC" && minutes === UTC_MINUTES)
    throw new RangeError("Time.MarshalBinary: unexpected zone offset");
  const payload = Buffer.alloc(seconds === 0 ? 15 : 16);
  payload[0] = seconds === 0 ? 1 : 2;
  payload.writeBigInt64BE(BigInt.asIntN(64, time.unixSeconds + UNIX_TO_INTERNAL), 1);
  payload.writeInt32BE(time.nanoseconds, 9);
  payload.writeInt16BE(minutes, 13);
  if (seconds !== 0) payload.writeInt8(seconds, 15);
  return payload;
}

function decodeTime(payload: Buffer): GoTime {
  if (payload.length === 0) throw new RangeError("Time.UnmarshalBinary: no data");
  const version = payload[0]!;
  if (version !== 1 && version !== 2) throw new RangeError("Time.UnmarshalBinary: unsupported version");
  if (payload.length !== 14 + version) throw new RangeError("Time.UnmarshalBinary: invalid length");
  const minutes = payload.readInt16BE(13);
  // Go writes the seconds signed but reads them unsigned, which puts zones west of Greenwich that have some 256
  // seconds out, between Go programs as well. They are read as they were written.
  const offset = minutes * 60 + (version === 2 ? payload.readInt8(15) : 0);
  const internal = payload.readBigInt64BE(1);
  // Go's arithmetic wraps, and a peer's payload may hold anything.
  const seconds = BigInt.asIntN(64, internal - UNIX_TO_INTERNAL);
  return new GoTime(
    seconds,
    payload.readInt32BE(9),
    minutes === UTC_MINUTES && offset === -60 ? "UTC" : offset,
  );
}

/**
 * Go's `time.Time` as a {@link GoTime}; takes a Date, too, as its instant in UTC. Nanoseconds and the zone's offset
 * are kept.
 */
export const time: Schema<GoTime | Date, GoTime> = custom({
  name: "time.Time",
  marshaler: "gob",
  encode: encodeTime,
  decode: decodeTime,
  zero: GoTime.zero,
  isZero: (value) => value instanceof GoTime && value.isZero && value.offset === "UTC",
});
