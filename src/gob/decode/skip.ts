import { badField, corrupt, messageEnded, type Reader } from "../wire/reader.js";
import type { WireTypes } from "../wire/wire-type.js";

/** A reader that follows interface values, which bring definitions and continue in later messages. */
export interface StreamReader extends Reader {
  readonly types: WireTypes;
  /** Reads the definitions before an interface's content, the content's type id, and the length after it. */
  interfaceHeader(): number;
  /** Reads the zero that stands before all content but a struct's. */
  singleton(): void;
}

/** A name of Go's gob is at most this long. */
const MAX_NAME = 1024;

/** Reads an interface's concrete type name, "" for nil. */
export function interfaceName(r: Reader): string {
  const n = r.uint();
  if (n > r.end - r.pos) throw corrupt(`gob: invalid type name length ${n}: exceeds input size`);
  if (n === 0) return "";
  const start = r.pos;
  r.pos = start + n;
  if (n > MAX_NAME)
    throw corrupt(
      `gob: name too long (${n} bytes): ${JSON.stringify(r.buf.latin1Slice(start, start + 20))}...`,
    );
  return r.buf.utf8Slice(start, r.pos);
}

export const sliceTooShort = (n: number) =>
  corrupt(`gob: decoding array or slice: length exceeds input size (${n} elements)`);

/**
 * Reads over a value. It is parsed rather than jumped over: an interface in it can bring type definitions, and the
 * length in front of its content covers the first segment only. `types` are those that the id belongs to; what
 * an interface holds is always of the stream's own.
 */
export function skipValue(r: StreamReader, id: number, types: WireTypes = r.types): void {
  const type = types.get(id);
  if (type === undefined) throw corrupt(`gob: bad data: undefined type ${id}`);
  switch (type.kind) {
    case "bool":
    case "int":
    case "uint":
    case "float":
      r.words();
      return;
    case "complex":
      r.words();
      r.words();
      return;
    case "bytes":
    case "string":
    case "gobEncoder":
    case "binaryMarshaler":
    case "textMarshaler":
      r.skipBytes();
      return;
    case "interface": {
      r.enter();
      if (interfaceName(r) !== "") skipContent(r, r.interfaceHeader());
      r.depth--;
      return;
    }
    case "array":
    case "slice": {
      const n = r.uint();
      if (type.kind === "array" && n !== type.length) throw corrupt("gob: length mismatch in ignoreArray");
      r.enter();
      for (let i = 0; i < n; i++) {
        if (r.pos >= r.end) throw sliceTooShort(n);
        skipValue(r, type.elem, types);
      }
      r.depth--;
      return;
    }
    case "map": {
      const n = r.uint();
      r.enter();
      for (let i = 0; i < n; i++) {
        // A struct may end with its message and then takes no byte: without this, n could be any number.
        if (r.pos >= r.end) throw messageEnded();
        skipValue(r, type.key, types);
        skipValue(r, type.elem, types);
      }
      r.depth--;
      return;
    }
    case "struct": {
      const { fields } = type;
      r.enter();
      let field = -1;
      while (r.pos < r.end) {
        const delta = r.uint();
        if (delta === 0) break;
        if (delta >= fields.length - field) throw badField();
        field += delta;
        skipValue(r, fields[field]!.id, types);
      }
      r.depth--;
      return;
    }
    case "unknown":
      throw corrupt(`gob: bad data: ignore can't handle type ${id}`);
  }
}

/** Reads over a value as it stands at top level or in an interface. */
export function skipContent(r: StreamReader, id: number): void {
  if (r.types.get(id)?.kind !== "struct") r.singleton();
  skipValue(r, id);
}
