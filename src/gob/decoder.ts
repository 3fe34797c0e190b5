import { buildDecode, type DecodeState, type Decoding } from "./decode-ops.js";
import { type Described, describeContent } from "./dynamic.js";
import { DEFAULT_MAX_DEPTH, DEFAULT_MAX_MESSAGE } from "./encoder.js";
import { Fault, GobError, toGobError } from "./errors.js";
import { goText } from "./gotype.js";
import { corrupt, Reader } from "./reader.js";
import { registry as defaultRegistry, type Registry } from "./registry.js";
import { type AnySchema, base, type Output } from "./schema.js";
import { skipContent } from "./skip.js";
import { asBytes, type InvalidUtf8 } from "./text.js";
import { type WireType, WireTypes } from "./wiretype.js";

/** What a decoder returns when the next value has not arrived in full. */
export const NEED_MORE: unique symbol = Symbol("gob.NEED_MORE");

/** Bounds on what a stream may demand. */
export interface Limits {
  /** Longest message in bytes. Default 1 GiB. */
  message: number;
  /** Deepest nesting of a value. Default 2500. */
  depth: number;
  /** Most types that one stream may define. Default 10,000. */
  types: number;
  /**
   * Estimated bytes that one value may allocate beyond its share: the bound is this plus 256 times the value's bytes
   * on the wire. Default 64 MiB.
   */
  allocation: number;
}

export interface DecoderOptions {
  limits?: Partial<Limits>;
  /** The concrete types that interface values may have. Default: the module's `registry`. */
  registry?: Registry;
  /** Strings that are not valid UTF-8: `refuse` (the default) or `escape`. */
  invalidUtf8?: InvalidUtf8;
}

const EMPTY = asBytes(Buffer.alloc(0));
/** Thrown inside a value whose next message has not arrived; the decoder goes back to the value's start. */
const WAIT = Symbol("wait for the next message");
const ALLOCATION_SHARE = 256;
/** In the place of a schema: decode by the stream's own types. */
const DESCRIBE = Symbol("describe");

type State = "open" | "ended" | "broken";

/** The bytes and types of one stream. Everything in [pos, limit) has arrived and is not consumed. */
class StreamState extends Reader implements DecodeState {
  readonly types: WireTypes;
  readonly limits: Limits;
  registry: Registry = defaultRegistry;
  /** End of the bytes that have arrived. */
  limit = 0;
  /** Offset in the stream of buf[0]. */
  base = 0;
  /** How many bytes from `pos` on must be there before it is worth looking again. */
  need = 1;
  state: State = "open";
  failure: GobError | undefined;

  constructor(limits: Limits) {
    super();
    this.limits = limits;
    this.maxDepth = limits.depth;
    this.types = new WireTypes(limits.types);
  }

  /**
   * Finds the message that begins at `end` and makes it the current one. False when it has not arrived in full; then
   * `need` says how much there must be, counted from `from`.
   */
  nextMessage(from: number): boolean {
    const at = this.end;
    const have = this.limit - at;
    if (have === 0) return this.#short(from, at + 1);
    const first = this.buf[at]!;
    let body = at + 1;
    let length = first;
    if (first >= 128) {
      const n = 256 - first;
      if (n > 8) throw this.#broken("gob: encoded unsigned integer out of range");
      if (have <= n) return this.#short(from, at + 1 + n);
      length = 0;
      for (let i = 0; i < n; i++) length = length * 256 + this.buf[body++]!;
    }
    if (length > this.limits.message) throw this.#broken("invalid message length");
    if (this.limit - body < length) return this.#short(from, body + length);
    this.pos = body;
    this.end = body + length;
    return true;
  }

  #short(from: number, until: number): false {
    this.need = until - from;
    return false;
  }

  /** The framing is lost: nothing that follows can be read. */
  #broken(text: string): Fault {
    this.state = "broken";
    return corrupt(text);
  }

  /** Makes the next message inside a value the current one. */
  continueValue(): void {
    if (this.pos > this.end) throw corrupt("EOF");
    if (!this.nextMessage(this.valueStart)) throw WAIT;
    this.budget += (this.end - this.pos) * ALLOCATION_SHARE;
  }

  /** Where the value that is being decoded began. */
  valueStart = 0;

  interfaceHeader(): number {
    for (;;) {
      if (this.pos >= this.end) this.continueValue();
      const id = this.typeId();
      if (id >= 0) {
        this.uint();
        return id;
      }
      this.types.define(-id, this);
      // A definition is followed by the length of the segment that goes on with the value, or ends its message.
      if (this.pos < this.end) this.uint();
    }
  }

  /** Go's typeId is an int32, and larger ones lose their upper half. */
  typeId(): number {
    return this.int() | 0;
  }

  singleton(): void {
    if (this.uint() !== 0) throw corrupt("gob: decode: corrupted data: non-zero delta for singleton");
  }

  /** The value is being decoded for the second time, to find out what is wrong with it. */
  exact = false;

  content(schema: AnySchema, id: number): unknown {
    const decoding = this.decoding(schema, id);
    return this.exact ? decoding.exact(this, undefined) : decoding.fast(this, undefined);
  }

  decoding(schema: AnySchema, id: number): Decoding {
    if (schema === this.#lastSchema && id === this.#lastId) return this.#last!;
    let byId = this.#cache.get(schema);
    if (byId === undefined) {
      byId = new Map();
      this.#cache.set(schema, byId);
    }
    let found = byId.get(id);
    if (found === undefined) {
      found = decodingOf(schema, id, this.types);
      byId.set(id, found);
    }
    this.#lastSchema = schema;
    this.#lastId = id;
    this.#last = found;
    return found;
  }

  readonly #cache = new Map<AnySchema, Map<number, Decoding>>();
  #lastSchema: AnySchema | undefined;
  #lastId = 0;
  #last: Decoding | undefined;
}

/** Shapes of one schema's remote types that are remembered; a peer that sends ever new ones must not fill the memory. */
const MAX_SHAPES = 32;

/** The operations for a schema and a remote type, made once for all streams whose types have the same shape. */
function decodingOf(schema: AnySchema, id: number, types: WireTypes): Decoding {
  const shape = types.shape(id);
  if (shape === undefined) return buildDecode(schema, id, types);
  schema.compiled.decode ??= new Map<string, Decoding>();
  const shapes = schema.compiled.decode as Map<string, Decoding>;
  let found = shapes.get(shape);
  if (found === undefined) {
    found = buildDecode(schema, id, types.snapshot(id));
    if (shapes.size < MAX_SHAPES) shapes.set(shape, found);
  }
  return found;
}

/**
 * Go's gob.Decoder: the receiving half of one stream. Bytes are pushed in as they arrive, in chunks of any size;
 * values come out when all of their bytes are there.
 */
export class Decoder {
  readonly #s: StreamState;
  #ended = false;

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
      this.#append(chunk);
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
    // Memory follows what has arrived, not what was announced; what was announced only bounds it from above.
    const wanted = s.need > least && s.need <= 2 * least ? s.need : Math.max(2 * least, 1024);
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
      const root = schema === undefined || schema === DESCRIBE ? "value" : goText(base(schema));
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
    if (this.#retriedBytes > 64 * (bytes + (1 << 20)))
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
