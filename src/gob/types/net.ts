import { isIPv4, isIPv6 } from "node:net";
import { struct } from "../schema/composites.js";
import { custom } from "../schema/custom.js";

/** Go's `url.URL` as its text, since URL would normalise it; takes a URL, too. */
export const url = custom<string | URL, string>({
  name: "net/url.URL",
  marshaler: "binary",
  encode: (value) => Buffer.from(String(value), "utf8"),
  decode: (payload) => payload.toString("utf8"),
  zero: () => "",
  alongside: [struct({}, { name: "net/url.Userinfo" })],
});

function parseIPv6(text: string): Buffer {
  let groups = text;
  const v4 = /(?<=:)\d+\.\d+\.\d+\.\d+$/.exec(text)?.[0];
  if (v4 !== undefined) {
    const [a, b, c, d] = v4.split(".").map(Number) as [number, number, number, number];
    groups = `${text.slice(0, -v4.length)}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  }
  const words = (part: string): number[] =>
    part === "" ? [] : part.split(":").map((w) => Number.parseInt(w, 16));
  const [front, back] = groups.split("::") as [string, string | undefined];
  const first = words(front);
  const last = back === undefined ? [] : words(back);
  const all = [...first, ...new Array<number>(8 - first.length - last.length).fill(0), ...last];
  const payload = Buffer.alloc(16);
  for (const [i, word] of all.entries()) payload.writeUInt16BE(word, i * 2);
  return payload;
}

function formatIPv6(payload: Buffer): string {
  const words = Array.from({ length: 8 }, (_, i) => payload.readUInt16BE(i * 2));
  if (words.slice(0, 5).every((w) => w === 0) && words[5] === 0xffff)
    return `::ffff:${[...payload.subarray(12, 16)].join(".")}`;
  // RFC 5952: the first longest run of two or more zero words is left out.
  let [start, length] = [-1, 1];
  for (let i = 0; i < 8; i++) {
    let n = 0;
    while (i + n < 8 && words[i + n] === 0) n++;
    if (n > length) [start, length] = [i, n];
  }
  const text = (part: number[]): string => part.map((w) => w.toString(16)).join(":");
  return start < 0 ? text(words) : `${text(words.slice(0, start))}::${text(words.slice(start + length))}`;
}

/** Go's `netip.Addr` as text, as `192.0.2.1` or `fe80::1%eth0`; "" is the zero Addr. */
export const netipAddr = custom<string, string>({
  name: "net/netip.Addr",
  marshaler: "binary",
  encode(value) {
    if (value === "") return Buffer.alloc(0);
    if (isIPv4(value)) return Buffer.from(value.split(".").map(Number));
    const [address, ...zone] = value.split("%") as [string, ...string[]];
    if (!isIPv6(address)) throw new RangeError(`${JSON.stringify(value)} is not an IP address`);
    return Buffer.concat([parseIPv6(address), Buffer.from(zone.join("%"), "utf8")]);
  },
  decode(payload) {
    if (payload.length === 0) return "";
    if (payload.length === 4) return [...payload].join(".");
    if (payload.length < 16) throw new RangeError("unexpected slice size");
    const zone = payload.subarray(16).toString("utf8");
    return formatIPv6(payload) + (zone === "" ? "" : `%${zone}`);
  },
  zero: () => "",
  isZero: (value) => value === "",
});

const NIL_UUID = "00000000-0000-0000-0000-000000000000";

/** `uuid.UUID` of github.com/google/uuid as text in lower case. */
export const uuid = custom<string, string>({
  name: "github.com/google/uuid.UUID",
  marshaler: "binary",
  encode(value) {
    if (!/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(value))
      throw new RangeError(`${JSON.stringify(value)} is not a UUID`);
    return Buffer.from(value.replaceAll("-", ""), "hex");
  },
  decode(payload) {
    if (payload.length !== 16) throw new RangeError(`invalid UUID (got ${payload.length} bytes)`);
    const digits = payload.toString("hex");
    return [8, 12, 16, 20, 32].map((to, i, ends) => digits.slice(i === 0 ? 0 : ends[i - 1], to)).join("-");
  },
  zero: () => NIL_UUID,
  isZero: (value) => value === NIL_UUID,
});
