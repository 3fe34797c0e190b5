import type { Fault, GobError } from "../errors.js";
import { registry as defaultRegistry, type Registry } from "../schema/registry.js";
import type { AnySchema } from "../schema/schema.js";
import { corrupt, Reader } from "../wire/reader.js";
import { WireTypes } from "../wire/wire-type.js";
import { buildDecode } from "./build.js";
import type { DecodeState, Decoding } from "./decoding.js";

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

/** Thrown inside a value whose next message has not arrived; the decoder goes back to the value's start. */
export const WAIT = Symbol("wait for the next message");
/** Estimated bytes that a value may allocate for each of its bytes on the wire. */
export const ALLOCATION_SHARE = 256;

type State = "open" | "ended" | "broken";

/** The bytes and types of one stream. Everything in [pos, limit) has arrived and is not consumed. */
export class StreamState extends Reader implements DecodeState {
  readonly types: WireTypes;
  readonly limits: Limits;
  registry: Registry = defaultRegistry;
  arrived: AnySchema | undefined = undefined;
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
    if (length > this.limits.message) {
      const detail = `${length} bytes are announced, ${this.limits.message} are the limit`;
      throw this.#broken("invalid message length", detail);
    }
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
  #broken(text: string, detail?: string): Fault {
    this.state = "broken";
    return corrupt(text, detail);
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
