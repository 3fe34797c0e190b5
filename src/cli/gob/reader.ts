import { Decoder, type Described, GobError, NEED_MORE } from "../../gob/index.js";
import { TypeNames } from "./declare.js";
import { json, literal, type Shown } from "./show.js";

export interface ReaderOptions {
  /** The stream is one direction of a net/rpc connection: headers and bodies take turns. */
  readonly rpc: boolean;
  /** Lines of JSON instead of text. */
  readonly json: boolean;
}

/** Reads a gob stream as it comes, and gives the lines that show it. */
export class GobReader {
  readonly #options: ReaderOptions;
  readonly #decoder: Decoder;
  readonly #names: TypeNames;
  readonly #shown: Shown;
  #known = 0;
  /** The header that the next value belongs to. */
  #header: Header | undefined;

  constructor(options: ReaderOptions) {
    this.#options = options;
    // Strings that are no UTF-8 are shown, too.
    this.#decoder = new Decoder({ invalidUtf8: "escape" });
    const find: Shown["find"] = (id) => this.#decoder.type(id);
    this.#names = new TypeNames(find);
    this.#shown = { find, names: this.#names };
  }

  /** Takes bytes, and gives the lines of what is complete. Throws GobError when the bytes are no gob; `lines` has what came before. */
  *read(chunk: Uint8Array): Generator<string> {
    this.#decoder.push(chunk);
    yield* this.#values();
  }

  /** The stream's end. Throws GobError when it comes inside a value. */
  *end(): Generator<string> {
    this.#decoder.end();
    yield* this.#values();
    if (this.#header !== undefined)
      throw new GobError("ERR_GOB_UNEXPECTED_EOF", "unexpected EOF", {
        detail: "a net/rpc header without its body",
        offset: this.#decoder.consumed,
      });
  }

  *#values(): Generator<string> {
    for (;;) {
      const offset = this.#decoder.consumed;
      let value: Described | typeof NEED_MORE;
      try {
        value = this.#decoder.decodeAny();
      } catch (error) {
        // What was defined before the error is part of what was read.
        yield* this.#definitions();
        if ((error as GobError).code === "ERR_GOB_EOF") return;
        throw error;
      }
      // With the value: until then the types that a definition names may be on their way.
      if (value === NEED_MORE) return;
      yield* this.#definitions();
      yield* this.#options.rpc ? this.#message(value, offset) : this.#value(value, offset, {});
    }
  }

  *#definitions(): Generator<string> {
    const types = this.#decoder.types();
    for (const type of types.slice(this.#known)) {
      if (this.#options.json) yield JSON.stringify({ define: { ...type, text: this.#names.text(type.id) } });
      else {
        const declaration = this.#names.declaration(type);
        if (declaration !== undefined) yield declaration;
      }
    }
    this.#known = types.length;
  }

  *#value(value: Described, offset: number, more: Readonly<Record<string, unknown>>): Generator<string> {
    if (this.#options.json) {
      const type = JSON.stringify(this.#names.text(value.type.id));
      const extra = Object.entries(more).map(([key, of]) => `,${JSON.stringify(key)}:${JSON.stringify(of)}`);
      yield `{"offset":${offset},"type":${type}${extra.join("")},"value":${json(value, this.#shown)}}`;
    } else yield literal(value, this.#shown);
  }

  *#message(value: Described, offset: number): Generator<string> {
    const header = this.#header;
    if (header === undefined) {
      this.#header = headerOf(value, offset);
      return;
    }
    this.#header = undefined;
    if (this.#options.json) {
      yield* this.#value(value, offset, header.fields);
      return;
    }
    const { kind, method, seq, error } = header.fields;
    const failed = error === undefined ? "" : ` error ${JSON.stringify(error)}`;
    yield `// ${kind} ${seq} ${method}${failed}`;
    yield literal(value, this.#shown);
  }
}

interface Header {
  readonly fields: {
    readonly kind: "request" | "response";
    readonly method: string;
    readonly seq: number;
    readonly error?: string;
  };
}

/** net/rpc's Request or Response (server.go), which are told apart by Response's field Error. */
function headerOf({ type, value }: Described, offset: number): Header {
  const names = type.fields.map(({ name }) => name);
  if (!names.includes("ServiceMethod") || !names.includes("Seq"))
    throw new GobError("ERR_GOB_MISMATCH", "no net/rpc header", {
      detail: "without --rpc it is shown as any gob",
      offset,
    });
  const { ServiceMethod = "", Seq = 0, Error: error = "" } = value as Record<string, never>;
  const kind = names.includes("Error") ? "response" : "request";
  return { fields: { kind, method: ServiceMethod, seq: Seq, ...(error === "" ? {} : { error }) } };
}
