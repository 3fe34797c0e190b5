import { canGenerate, FAILED } from "../codegen.js";
import { Fault, GobError, toGobError } from "../errors.js";
import { goText } from "../schema/go-type.js";
import { registry as defaultRegistry, type Registry } from "../schema/registry.js";
import { type AnySchema, base, checkSchema, type Input } from "../schema/schema.js";
import type { TypedValue } from "../schema/typed-value.js";
import { takeBackSlab } from "../wire/slab-pool.js";
import type { InvalidUtf8 } from "../wire/text.js";
import { Writer } from "../wire/writer.js";
import type { EncodeOp, EncodeState } from "./encoding.js";
import { generateEncode } from "./generate.js";
import { encodingOf } from "./ops.js";
import { type TypeMark, TypeTable } from "./type-table.js";

/** Go's own limit on a message, 2^33, is beyond what a Buffer should hold; this one is the decoder's default, too. */
export const DEFAULT_MAX_MESSAGE = 1 << 30;
/** Default limit on nesting: what the JavaScript stack is sure to hold. */
export const DEFAULT_MAX_DEPTH = 2500;

/** Options of {@link Encoder} and {@link encode}. */
export interface EncoderOptions {
  /** The concrete types that interface values may have. Default: the module's `registry`. */
  registry?: Registry;
  /** Lone surrogates in strings: `refuse` (the default), `escape` or `replace`. */
  invalidUtf8?: InvalidUtf8;
  /** Longest message in bytes. Default 1 GiB. */
  maxMessage?: number;
  /** Deepest nesting of a value; also what a cycle of values runs into. Default 2500. */
  maxDepth?: number;
}

/** Bytes that are kept free for the length of a message, or of a counted part of one: it is known at the end. */
const RESERVED = 1;

/** A position in what an encoder has written, to go back to. */
export interface Checkpoint {
  /** @internal */
  readonly pending: number;
  /** @internal */
  readonly taken: number;
  /** @internal */
  readonly types: TypeMark;
}

/** The writer of one stream, with what interface values need: their types' definitions split the value's message. */
class StreamWriter extends Writer implements EncodeState {
  readonly types = new TypeTable();
  registry: Registry = defaultRegistry;
  maxMessage = DEFAULT_MAX_MESSAGE;
  /** Offset from `start` of the segment being written. */
  segment = 0;
  nilInterfaces = 0;
  readonly flush = (): void => this.nextSegment();

  /** Begins a message, or a counted part of one. */
  beginSegment(): void {
    this.ensure(RESERVED);
    this.segment = this.pos - this.start;
    this.pos += RESERVED;
  }

  /** Writes the length of the segment in front of it. */
  endSegment(): void {
    const from = this.start + this.segment;
    const length = this.pos - from - RESERVED;
    if (length >= this.maxMessage) {
      const detail = `${length} bytes, maxMessage is ${this.maxMessage}`;
      throw new Fault("ERR_GOB_LIMIT", "gob: encoder: message too big", { detail });
    }
    const size = length < 128 ? 1 : length < 0x100 ? 2 : length < 0x10000 ? 3 : length < 0x1000000 ? 4 : 5;
    if (size !== RESERVED) this.#shift(size, length);
    const end = this.pos;
    this.pos = this.start + this.segment;
    this.uint(length);
    this.pos = end;
  }

  #shift(size: number, length: number): void {
    // Whichever is less to move: what is in front of the segment, or its content.
    if (this.segment < length && this.moveBack(size - RESERVED, this.start + this.segment)) return;
    this.ensure(9);
    const at = this.start + this.segment;
    this.buf.copyWithin(at + size, at + RESERVED, at + RESERVED + length);
    this.pos = at + size + length;
  }

  nextSegment(): void {
    this.endSegment();
    this.beginSegment();
  }

  interfaceValue({ schema, value }: TypedValue): void {
    const name = this.registry.nameOf(schema);
    if (name === undefined)
      throw new Fault(
        "ERR_GOB_UNREGISTERED",
        `gob: type not registered for interface: ${goText(base(schema))}`,
        { detail: "gob.registry.register(schema) makes it known, under the name that it has in Go" },
      );
    if (value === null && schema.node.kind === "pointer")
      throw new Fault(
        "ERR_GOB_VALUE",
        `gob: cannot encode nil pointer of type ${goText(schema)} inside interface`,
      );
    this.string(name);
    const id = this.types.define(schema, this, this.flush);
    this.int(id);
    const { segment } = this;
    this.beginSegment();
    this.content(schema, value);
    this.endSegment();
    // Definitions inside have split this segment, never the one around it.
    this.segment = segment;
  }

  /** A value as it stands at top level and in interfaces: a zero goes before all but structs. */
  content(schema: AnySchema, value: unknown): void {
    if (!this.exact) {
      operation(schema)(this, value);
      return;
    }
    if (base(schema).node.kind !== "struct") this.uint(0);
    else if (value === undefined || value === null)
      throw new Fault("ERR_GOB_VALUE", `gob: cannot encode nil value as ${goText(schema)}`);
    encodingOf(schema).write(this, value);
  }

  /** The value is being encoded for the second time, to find out what is wrong with it. */
  exact = false;
}

const CONTAINERS = new Set(["slice", "array", "map"]);

/** What writes a schema's values where they stand alone: generated where that is allowed and pays. */
function operation(schema: AnySchema): EncodeOp {
  const known = schema.compiled.encode as EncodeOp | undefined;
  if (known !== undefined) return known;
  const { kind } = base(schema).node;
  const pays = canGenerate() && (kind === "struct" || CONTAINERS.has(schema.node.kind));
  const write = pays ? generateEncode(schema) : encodingOf(schema).write;
  const made: EncodeOp =
    kind === "struct" && pays
      ? write
      : (w, value) => {
          if (kind !== "struct") w.uint(0);
          else if (value === undefined || value === null) throw FAILED;
          write(w, value);
        };
  schema.compiled.encode = made;
  return made;
}

/**
 * Go's gob.Encoder: the sending half of one stream. Types are described when first needed and remembered. What is
 * written gathers until it is taken.
 */
export class Encoder {
  readonly #w = new StreamWriter();
  #taken = 0;

  /** A stream into which nothing was written. */
  constructor(options: EncoderOptions = {}) {
    this.#w.maxDepth = options.maxDepth ?? DEFAULT_MAX_DEPTH;
    this.#w.invalidUtf8 = options.invalidUtf8 ?? "refuse";
    this.#w.maxMessage = options.maxMessage ?? DEFAULT_MAX_MESSAGE;
    if (options.registry !== undefined) this.#w.registry = options.registry;
  }

  /** Bytes written and not yet taken. */
  get pending(): number {
    return this.#w.pos - this.#w.start;
  }

  /**
   * How many nil interfaces were written up to now, and tried to be: Go's decoder, where it has to skip such a value, waits for
   * more than there is (decode.go: ignoreInterface).
   */
  get nilInterfaces(): number {
    return this.#w.nilInterfaces;
  }

  /**
   * Appends a value, and before it the definitions of types that the peer has not got. Throws GobError
   * (`ERR_GOB_VALUE`, `_RANGE`, `_UTF8`, `_UNREGISTERED`, `_MARSHALER`, `_LIMIT`, `_SCHEMA`), and then has added nothing.
   */
  encode<S extends AnySchema>(schema: S, value: Input<S>): void {
    const w = this.#w;
    const before = w.pos - w.start;
    const types = w.types.mark();
    w.exact = false;
    try {
      this.#encode(schema, value);
    } catch {
      w.pos = w.start + before;
      w.types.reset(types);
      w.exact = true;
      this.#encodeExactly(schema, value, before, types);
    }
  }

  #encode(schema: AnySchema, value: unknown): void {
    const w = this.#w;
    w.depth = 0;
    w.beginSegment();
    const id = w.types.define(schema, w, w.flush);
    w.int(id);
    w.content(schema, value);
    w.endSegment();
  }

  #encodeExactly(schema: AnySchema, value: unknown, before: number, types: TypeMark): void {
    const w = this.#w;
    try {
      this.#encode(schema, value);
    } catch (error) {
      w.pos = w.start + before;
      w.types.reset(types);
      checkSchema(schema);
      throw toGobError(error, goText(base(schema)));
    }
  }

  /** Remembers where the stream is. */
  checkpoint(): Checkpoint {
    return { pending: this.pending, taken: this.#taken, types: this.#w.types.mark() };
  }

  /**
   * Drops everything encoded since the checkpoint, type definitions too. Throws `ERR_GOB_USAGE` when some of it has
   * been taken.
   */
  rollback(to: Checkpoint): void {
    if (to.taken !== this.#taken || to.pending > this.pending)
      throw new GobError("ERR_GOB_USAGE", "gob: what was written since the checkpoint has been taken");
    this.#w.pos = this.#w.start + to.pending;
    this.#w.types.reset(to.types);
  }

  /** All pending bytes. They belong to the caller: no encoder writes there again, unless they are given back. */
  take(): Buffer {
    this.#taken++;
    return this.#w.take();
  }

  /**
   * Gives back what {@link take} returned, once nobody refers to it any more: large messages of this encoder, or of
   * others, are written into the same memory then, which spares the system and the garbage collector a lot of work.
   */
  giveBack(taken: Uint8Array): void {
    takeBackSlab(taken);
  }
}

/** One value as a stream of its own. Throws as {@link Encoder.encode}. */
export function encode<S extends AnySchema>(schema: S, value: Input<S>, options?: EncoderOptions): Buffer {
  const encoder = new Encoder(options);
  encoder.encode(schema, value);
  return encoder.take();
}
