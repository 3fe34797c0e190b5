import type { Described, DescribedValue, Opaque, WireType } from "../../gob/index.js";
import type { TypeNames } from "./declare.js";

/** What a value needs to be shown: the stream's types, and their names. */
export interface Shown {
  find(id: number): WireType | undefined;
  readonly names: TypeNames;
}

/** Lines are broken beyond this. */
const WIDTH = 100;
/** Bytes of an opaque payload or []byte that are shown in text; JSON has them all. */
const MOST_BYTES = 64;

/** A value as a Go literal. */
export function literal(described: Described, shown: Shown): string {
  return text(described.value, described.type, shown, "");
}

function text(value: DescribedValue, type: WireType, shown: Shown, indent: string): string {
  switch (type.kind) {
    case "string":
      return goString(value as string);
    case "bytes":
      return `[]byte(${bytesText(value as Buffer)})`;
    case "float":
      return floatText(value as number);
    case "complex": {
      const { re, im } = value as { re: number; im: number };
      return `complex(${floatText(re)}, ${floatText(im)})`;
    }
    case "gobEncoder":
    case "binaryMarshaler":
    case "textMarshaler": {
      const { payload } = value as Opaque;
      const instant = timeText(type, payload);
      return `${shown.names.text(type.id)}(${instant ?? bytesText(payload)})`;
    }
    case "interface":
      return interfaceText(value as Described | null, shown, indent);
    case "slice":
    case "array":
    case "map":
    case "struct":
      return `${shown.names.text(type.id)}${braced(parts(value, type, shown, `${indent}\t`), indent)}`;
    default:
      return String(value);
  }
}

function interfaceText(value: Described | null, shown: Shown, indent: string): string {
  if (value === null) return "nil";
  const content = text(value.value, value.type, shown, indent);
  // What the text does not tell: the name under which the type is registered.
  const told = content.startsWith(value.name) || ["string", "bool"].includes(value.name);
  return told || value.name === "[]uint8" ? content : `any(${content}) /* ${value.name} */`;
}

function parts(value: DescribedValue, type: WireType, shown: Shown, indent: string): string[] {
  const one = (part: DescribedValue, id: number): string => {
    const of = shown.find(id);
    return of === undefined ? "?" : text(part, of, shown, indent);
  };
  if (type.kind === "struct") {
    const fields = value as Record<string, DescribedValue>;
    return type.fields
      .filter(({ name }) => Object.hasOwn(fields, name))
      .map(({ name, id }) => `${name}: ${one(fields[name]!, id)}`);
  }
  if (type.kind === "map")
    return [...(value as Map<DescribedValue, DescribedValue>)].map(
      ([key, elem]) => `${one(key, type.key)}: ${one(elem, type.elem)}`,
    );
  return (value as DescribedValue[]).map((elem) => one(elem, type.elem));
}

function braced(all: readonly string[], indent: string): string {
  const line = `{${all.join(", ")}}`;
  if (line.length + indent.length <= WIDTH && !line.includes("\n")) return line;
  return `{\n${all.map((part) => `${indent}\t${part},\n`).join("")}${indent}}`;
}

/** A Go string literal. Bytes that are no UTF-8 come as lone surrogates (the decoder's policy `escape`). */
function goString(value: string): string {
  return `"${value.replace(/["\\\n\r\t]|\p{Cc}|\p{Cs}/gu, (char) => {
    const escapes: Record<string, string> = {
      '"': '\\"',
      "\\": "\\\\",
      "\n": "\\n",
      "\r": "\\r",
      "\t": "\\t",
    };
    const code = char.codePointAt(0)!;
    return escapes[char] ?? `\\x${(code & 0xff).toString(16).padStart(2, "0")}`;
  })}"`;
}

function bytesText(bytes: Buffer): string {
  const part = bytes.subarray(0, MOST_BYTES);
  const more = bytes.length > MOST_BYTES ? ` /* and ${bytes.length - MOST_BYTES} bytes more */` : "";
  const printable = part.every((byte) => byte === 10 || (byte >= 32 && byte < 127));
  return (printable ? goString(part.toString("latin1")) : `0x${part.toString("hex")}`) + more;
}

function floatText(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  return Object.is(value, -0) ? "-0" : String(value);
}

/** Seconds from Go's year 1 to the Unix epoch. */
const UNIX_TO_YEAR_1 = 62_135_596_800n;

/** A time.Time's payload (time.MarshalBinary) as RFC 3339; undefined for what is none, or beyond what that can say. */
function timeText(type: WireType, payload: Buffer): string | undefined {
  const [version] = payload;
  if (type.name !== "Time" || (version !== 1 && version !== 2) || payload.length !== 14 + version)
    return undefined;
  const seconds = payload.readBigInt64BE(1) - UNIX_TO_YEAR_1;
  const nanoseconds = payload.readInt32BE(9);
  const minutes = payload.readInt16BE(13);
  const isUtc = minutes === -1;
  const local = new Date(Number(seconds + BigInt(isUtc ? 0 : minutes) * 60n) * 1000);
  if (Number.isNaN(local.getTime()) || local.getUTCFullYear() < 0 || local.getUTCFullYear() > 9999)
    return undefined;
  const fraction = nanoseconds === 0 ? "" : `.${String(nanoseconds).padStart(9, "0").replace(/0+$/, "")}`;
  const two = (n: number): string => String(n).padStart(2, "0");
  const zone = `${minutes < 0 ? "-" : "+"}${two(Math.trunc(Math.abs(minutes) / 60))}:${two(Math.abs(minutes) % 60)}`;
  return `"${local.toISOString().slice(0, 19)}${fraction}${isUtc ? "Z" : zone}"`;
}

/**
 * A value as JSON. What JSON has no form for stands in an object with one key: `$bytes` and `$opaque` (base64), `$map` (a list of pairs, for
 * keys that are no strings), `$type` with `$value` (what stood in an interface), `$float` (NaN, +Inf, -Inf, -0).
 */
export function json(described: Described, shown: Shown): string {
  return jsonOf(described.value, described.type, shown);
}

function jsonOf(value: DescribedValue, type: WireType, shown: Shown): string {
  const one = (part: DescribedValue, id: number): string => {
    const of = shown.find(id);
    return of === undefined ? "null" : jsonOf(part, of, shown);
  };
  switch (type.kind) {
    case "string":
      return JSON.stringify(value);
    case "bytes":
      return `{"$bytes":${JSON.stringify((value as Buffer).toString("base64"))}}`;
    case "float":
      return jsonFloat(value as number);
    case "complex": {
      const { re, im } = value as { re: number; im: number };
      return `{"re":${jsonFloat(re)},"im":${jsonFloat(im)}}`;
    }
    case "gobEncoder":
    case "binaryMarshaler":
    case "textMarshaler":
      return `{"$opaque":${JSON.stringify((value as Opaque).payload.toString("base64"))}}`;
    case "interface": {
      if (value === null) return "null";
      const of = value as Described;
      return `{"$type":${JSON.stringify(of.name)},"$value":${jsonOf(of.value, of.type, shown)}}`;
    }
    case "slice":
    case "array":
      return `[${(value as DescribedValue[]).map((elem) => one(elem, type.elem)).join(",")}]`;
    case "map": {
      const entries = [...(value as Map<DescribedValue, DescribedValue>)];
      if (shown.find(type.key)?.kind === "string")
        return `{${entries.map(([key, elem]) => `${JSON.stringify(key)}:${one(elem, type.elem)}`).join(",")}}`;
      return `{"$map":[${entries.map(([key, elem]) => `[${one(key, type.key)},${one(elem, type.elem)}]`).join(",")}]}`;
    }
    case "struct": {
      const fields = value as Record<string, DescribedValue>;
      const sent = type.fields.filter(({ name }) => Object.hasOwn(fields, name));
      return `{${sent.map(({ name, id }) => `${JSON.stringify(name)}:${one(fields[name]!, id)}`).join(",")}}`;
    }
    default:
      return String(value);
  }
}

function jsonFloat(value: number): string {
  const isPlain = Number.isFinite(value) && !Object.is(value, -0);
  return isPlain ? String(value) : `{"$float":${JSON.stringify(floatText(value))}}`;
}
