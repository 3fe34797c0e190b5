import { keepFreedMemory } from "../../freed-memory.js";
import { DEFAULT_MAX_DEPTH, DEFAULT_MAX_MESSAGE } from "../encode/encoder.js";
import { Fault, GobError, toGobError } from "../errors.js";
import { goText } from "../schema/go-type.js";
import type { Registry } from "../schema/registry.js";
import { type AnySchema, base, checkSchema, type Output } from "../schema/schema.js";
import { corrupt } from "../wire/reader.js";
import { asBytes, type InvalidUtf8 } from "../wire/text.js";
import type { WireType } from "../wire/wire-type.js";
import { type Described, describeContent } from "./describe.js";
import { skipContent } from "./skip.js";
import { ALLOCATION_SHARE, type Limits, StreamState, WAIT } from "./stream-state.js";

/** What a decoder returns when the next value has not arrived in full. */
export const NEED_MORE: unique symbol = Symbol("gob.NEED_MORE");

/** Options of {@link Decoder} and {@link decode}. */
export interface DecoderOptions {
  /** Bounds on what the stream may demand; those that are left out have their defaults. */
  limits?: Partial<Limits>;
  /** The concrete types that interface values may have. Default: the module's `registry`. */
  registry?: Registry;
  /** Strings that are not valid UTF-8: `refuse` (the default), `escape` or `replace`. */
  invalidUtf8?: InvalidUtf8;
}

const EMPTY = asBytes(Buffer.alloc(0));
/** In the place of a schema: decode by the stream's own types. */
const DESCRIBE = Symbol("describe");

/** Bytes that an announced length may reserve before they have arrived: the most a lying peer gets for a few bytes. */
const MODERATE = 2 << 20;

/**
 * Go's gob.Decoder: the receiving half of one stream. Bytes are pushed in as they arrive, in chunks of any size;
 * values come out when all of their bytes are there.
 */
export class Decoder {
  readonly #s: StreamState;
  #ended = false;

  /** A stream of which nothing has arrived. */
  constructor(options: DecoderOptions = {}) {
    this.#s = new StreamState({
      message: DEFAULT_MAX_MESSAGE,
      depth: DEFAULT_MAX_DEPTH,
      types: 10_000,
      allocation: 64 << 20,
      ...options.limits,
    });
    this.#s.invalidUtf8 = options.invalidUtf8 ?? "refuse";
    if (options.registry !== undefined) this.#s.registry = options.registry;
  }

  /**
   * Adds bytes. A borrowed chunk is valid only until the caller calls {@link settle}, before which it takes out the
   * values that are complete; any other chunk now belongs to the decoder.
   */
  push(chunk: Uint8Array, borrowed = false): void {
    const s = this.#s;
    if (chunk.length === 0) return;
    if (s.limit > s.end) {
      if (this.#isInRoom(chunk)) s.limit += chunk.length;
      else this.#append(chunk);
      return;
    }
    s.base += s.end;
    s.buf = asBytes(chunk);
    s.borrowed = borrowed;
    s.pos = 0;
    s.end = 0;
    s.limit = chunk.length;
    this.#writable = false;
  }

  /** Whether the buffer is the decoder's own, with room behind `limit`. */
  #writable = false;

  /**
   * Memory into which the next bytes of the stream may be read, so that they need not be copied: it belongs to the
   * message that is being gathered, and what is missing of that fits. Undefined while none is, or none of that size.
   * What was read there is pushed like all other bytes, from the beginning of the room; until then nothing else is pushed.
   */
  room(): Buffer | undefined {
    const s = this.#s;
    if (!this.#writable || s.limit === s.end) return undefined;
    const end = Math.min(s.end + s.need, s.buf.length);
    return end > s.limit ? s.buf.subarray(s.limit, end) : undefined;
  }

  #isInRoom(chunk: Uint8Array): boolean {
    const { buf, limit } = this.#s;
    return this.#writable && chunk.buffer === buf.buffer && chunk.byteOffset === buf.byteOffset + limit;
  }

  #append(chunk: Uint8Array): void {
    const s = this.#s;
    if (!this.#writable || s.limit + chunk.length > s.buf.length) this.#reserve(chunk.length);
    s.buf.set(chunk, s.limit);
    s.limit += chunk.length;
  }

  /** Moves what is not consumed into a buffer of the decoder's own, with room for n bytes more. */
  #reserve(n: number): void {
    const s = this.#s;
    const kept = s.limit - s.end;
    const least = kept + n;
    // Memory follows what has arrived, not what was announced; only a moderate announcement is believed at once, since
    // each step of growth is one more large block for the garbage collector.
    const believed = s.need > least && s.need <= Math.max(2 * least, MODERATE);
    const wanted = believed ? s.need : Math.max(2 * least, 1024);
    keepFreedMemory(wanted);
    const next = Buffer.allocUnsafeSlow(wanted);
    s.buf.copy(next, 0, s.end, s.limit);
    s.base += s.end;
    s.buf = asBytes(next);
    s.borrowed = false;
    s.pos = 0;
    s.end = 0;
    s.limit = kept;
    this.#writable = true;
  }

  /** Ends the loan of a borrowed chunk: what is left of it is copied. */
  settle(): void {
    const s = this.#s;
    if (!s.borrowed) return;
    if (s.limit > s.end) {
      this.#reserve(0);
      return;
    }
    s.base += s.end;
    s.buf = EMPTY;
    s.pos = 0;
    s.end = 0;
    s.limit = 0;
  }

  /** No more bytes will come: from now on, `decode` throws `ERR_GOB_EOF` or `ERR_GOB_UNEXPECTED_EOF` instead of waiting. */
  end(): void {
    this.#ended = true;
  }

  /** Bytes of the stream that belong to what was taken out so far. */
  get consumed(): number {
    return this.#s.base + this.#s.end;
  }

  /** A type of the stream by its id, the builtin ones included; for the types that a {@link WireType} refers to. */
  type(id: number): WireType | undefined {
    return this.#s.types.get(id);
  }

  /** The types that the stream has defined so far, in order of arrival. */
  types(): WireType[] {
    return this.#s.types.list();
  }

  /**
   * The next value, or NEED_MORE when not all of it has arrived, which costs nothing to ask again. With `into`, an
   * object, array or Map from an earlier decode, the value is merged into it as Go's Decode does.
   *
   * Throws GobError: `ERR_GOB_MISMATCH`, `_RANGE`, `_UTF8`, `_UNREGISTERED`, `_MARSHALER`, `_CORRUPT` and `_LIMIT` leave
   * the decoder at the next message, as Go's does; `ERR_GOB_EOF` and `ERR_GOB_UNEXPECTED_EOF` come after `end()`.
   */
  decode<S extends AnySchema>(schema: S, into?: Output<S>): Output<S> | typeof NEED_MORE {
    return this.#next(schema, into) as Output<S> | typeof NEED_MORE;
  }

  /** Discards the next value but learns the types it defines. Throws as {@link decode}. */
  skip(): boolean | typeof NEED_MORE {
    return this.#next(undefined, undefined) as boolean | typeof NEED_MORE;
  }

  /**
   * The next value by the stream's own description, without a schema; see {@link Described}. Throws as {@link decode}.
   */
  decodeAny(): Described | typeof NEED_MORE {
    return this.#next(DESCRIBE, undefined) as Described | typeof NEED_MORE;
  }

  #next(schema: AnySchema | typeof DESCRIBE | undefined, into: unknown): unknown {
    const s = this.#s;
    if (s.limit - s.end < s.need && !this.#ended) return NEED_MORE;
    if (s.failure !== undefined) throw s.failure;
    try {
      const id = this.#header();
      if (id < 0) return NEED_MORE;
      return this.#value(schema, into, id);
    } catch (error) {
      s.need = 1;
      this.#retriedBytes = 0;
      const isGiven = schema !== undefined && schema !== DESCRIBE;
      if (isGiven) checkSchema(schema);
      const root = isGiven ? goText(base(schema)) : "value";
      const found = toGobError(error, root, s.base + s.pos);
      if (s.state === "broken") s.failure = found as GobError;
      throw found;
    }
  }

  #firstDefinition = false;

  /** Reads definitions up to the next value and returns its type id, or -1 when there is more to come. */
  #header(): number {
    const s = this.#s;
    for (;;) {
      s.depth = 0;
      const start = s.end;
      if (!s.nextMessage(start)) {
        if (!this.#ended) return -1;
        if (s.limit > start || this.#firstDefinition) throw this.#eof(true);
        throw this.#eof(false);
      }
      s.valueStart = start;
      s.need = 1;
      const id = s.typeId();
      if (id >= 0) {
        this.#firstDefinition = false;
        return id;
      }
      s.types.define(-id, s);
      if (s.pos < s.end) throw corrupt("extra data in buffer");
      this.#firstDefinition = true;
    }
  }

  #eof(inside: boolean): Fault {
    const s = this.#s;
    s.end = s.limit;
    this.#firstDefinition = false;
    return inside ? new Fault("ERR_GOB_UNEXPECTED_EOF", "unexpected EOF") : new Fault("ERR_GOB_EOF", "EOF");
  }

  #value(schema: AnySchema | typeof DESCRIBE | undefined, into: unknown, id: number): unknown {
    const s = this.#s;
    const known = s.types.size;
    s.budget = s.limits.allocation + (s.end - s.pos) * ALLOCATION_SHARE;
    try {
      if (schema === undefined) {
        skipContent(s, id);
        this.#retriedBytes = 0;
        return true;
      }
      const value = schema === DESCRIBE ? describeContent(s, id, "") : this.#decode(schema, id, into, known);
      this.#retriedBytes = 0;
      return value;
    } catch (error) {
      if (error !== WAIT) throw error;
      if (this.#ended) throw this.#eof(true);
      // Back to the value's start; `need` counts from there.
      s.types.reset(known);
      s.end = s.valueStart;
      s.pos = s.valueStart;
      this.#retried(s.limit - s.valueStart);
      return NEED_MORE;
    }
  }

  #decode(schema: AnySchema, id: number, into: unknown, known: number): unknown {
    const s = this.#s;
    const decoding = s.decoding(schema, id);
    if (into !== undefined) {
      s.exact = true;
      return decoding.exact(s, into);
    }
    s.exact = false;
    const { pos, end, budget } = s;
    try {
      return decoding.fast(s, undefined);
    } catch (error) {
      if (error === WAIT) throw error;
      s.types.reset(known);
      s.pos = pos;
      s.end = end;
      s.budget = budget;
      s.depth = 0;
      s.exact = true;
      return decoding.exact(s, undefined);
    }
  }

  #retriedBytes = 0;

  /**
   * A value that spans messages is decoded from its start each time another of its messages arrives. Go sends such
   * values in a few messages (one for each new type); a peer that sends thousands is stopped before it costs too much.
   */
  #retried(bytes: number): void {
    this.#retriedBytes += bytes;
    if (this.#retriedBytes <= 64 * (bytes + (1 << 20))) return;
    // Without the value's end there is no way to what follows it.
    this.#s.state = "broken";
    throw new Fault("ERR_GOB_LIMIT", "gob: value spans too many messages");
  }
}

/**
 * The first value of a stream that is all there. Throws as {@link Decoder.decode}; a value that is cut short
 * is `ERR_GOB_UNEXPECTED_EOF`.
 */
export function decode<S extends AnySchema>(
  schema: S,
  bytes: Uint8Array,
  options?: DecoderOptions,
): Output<S> {
  const decoder = new Decoder(options);
  decoder.push(bytes);
  decoder.end();
  const value = decoder.decode(schema);
  if (value === NEED_MORE) throw new GobError("ERR_GOB_UNEXPECTED_EOF", "unexpected EOF");
  return value as Output<S>;
}
