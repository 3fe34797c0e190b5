// Go's encoding/gob live: go-fixtures/gobpeer, a JSON request and a JSON answer per line.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import * as gob from "../../../src/gob/index.js";

export const PEER = fileURLToPath(new URL("../../../go-fixtures/bin/gobpeer", import.meta.url));

/** Why tests with Go cannot run, or false. Under CI that is a failure of the tests themselves. */
export const noPeer: string | false =
  existsSync(PEER) || process.env.CI !== undefined ? false : `no ${PEER}: build go-fixtures`;

export interface Desc {
  kind: string;
  name?: string;
  key?: Desc;
  elem?: Desc;
  len?: number;
  fields?: { name: string; type: Desc }[];
}

interface Answer {
  types?: { name: string; desc: Desc }[];
  hex?: string;
  equal?: boolean;
  got?: string;
  want?: string;
  error?: string;
}

export class Peer {
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;

  constructor(path = PEER, signal?: AbortSignal) {
    this.#child = spawn(path, {
      stdio: ["pipe", "pipe", "inherit"],
      ...(signal === undefined ? {} : { signal }),
    });
    this.#answers = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]();
  }

  async ask(request: Record<string, unknown>): Promise<Answer> {
    this.#child.stdin!.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await this.#answers.next();
    if (done === true) throw new Error("gobpeer has ended");
    return JSON.parse(value as string) as Answer;
  }

  close(): void {
    this.#child.stdin!.end();
  }
}

const LIBRARY: Record<string, gob.AnySchema> = {
  "time.Time": gob.time,
  "math/big.Int": gob.bigInt,
  "math/big.Rat": gob.bigRat,
  "math/big.Float": gob.bigFloat,
  "net/url.URL": gob.url,
  "net/netip.Addr": gob.netipAddr,
};

const SCALARS: Record<string, gob.AnySchema> = {
  bool: gob.bool,
  int: gob.intBigint,
  int8: gob.int8,
  int16: gob.int16,
  int32: gob.int32,
  int64: gob.int64,
  uint: gob.uintBigint,
  uint8: gob.uint8,
  uint16: gob.uint16,
  uint32: gob.uint32,
  uint64: gob.uint64,
  uintptr: gob.uintptr,
  float32: gob.float32,
  float64: gob.float64,
  complex64: gob.complex64,
  complex128: gob.complex128,
  string: gob.string,
  interface: gob.typedAny,
};

/** The schema of a type that gobpeer describes. `shown` is how its interface values are shown: typed, or plainly. */
export function schemaOf(
  desc: Desc,
  open: ReadonlyMap<string, gob.AnySchema> = new Map(),
  shown: gob.AnySchema = gob.typedAny,
): gob.AnySchema {
  const name = desc.name ?? "";
  if (desc.kind === "interface" && name === "") return shown;
  if (desc.kind === "custom") return LIBRARY[name]!;
  if (desc.kind === "ref") return open.get(name)!;
  const scalar = SCALARS[desc.kind];
  if (scalar !== undefined)
    return name === "" ? scalar : gob.named(name, scalar as gob.Schema<unknown, unknown>);
  let built: gob.AnySchema | undefined;
  const inner =
    name === ""
      ? open
      : new Map(open).set(
          name,
          gob.lazy(() => built!),
        );
  built = composite(desc, name, inner, shown);
  return built;
}

function composite(
  desc: Desc,
  name: string,
  open: ReadonlyMap<string, gob.AnySchema>,
  shown: gob.AnySchema,
): gob.AnySchema {
  const elem = (): gob.AnySchema => schemaOf(desc.elem!, open, shown);
  switch (desc.kind) {
    case "slice":
      if (desc.elem!.kind === "uint8") return name === "" ? gob.bytes : gob.named(name, gob.bytes);
      return gob.slice(elem(), { name });
    case "array":
      return gob.array(elem(), desc.len ?? 0, { name });
    case "ptr":
      return gob.pointer(elem());
    case "map":
      return gob.map(schemaOf(desc.key!, open, shown), elem(), { name, nilable: true });
    case "struct":
      return gob.struct(
        Object.fromEntries(
          (desc.fields ?? []).map((field) => [field.name, schemaOf(field.type, open, shown)]),
        ),
        { name },
      );
    default:
      throw new Error(`unknown kind ${desc.kind}`);
  }
}

/** What gobpeer registers for interface values. */
export function peerRegistry(
  types: readonly { name: string; desc: Desc }[],
  shown: gob.AnySchema = gob.typedAny,
): gob.Registry {
  const registry = new gob.Registry();
  const of = (name: string): gob.AnySchema =>
    schemaOf(types.find((type) => type.name === name)!.desc, new Map(), shown);
  registry.register(of("main.Point"));
  registry.register(gob.pointer(of("main.Inner")), "*main.Inner");
  registry.register(of("main.Weekday"));
  registry.register(gob.time);
  registry.register(of("[]interface {}"), "[]interface {}");
  registry.register(of("map[string]interface {}"), "map[string]interface {}");
  registry.register(of("main.Tree"), "tree/name");
  return registry;
}

export const options = (registry: gob.Registry) => ({ registry, invalidUtf8: "escape" }) as const;

/**
 * A sample of Go's goes round: Go encodes, we decode and encode, Go decodes, compares and encodes, we decode and compare.
 * Throws when anything differs.
 */
export async function goRound(
  peer: Peer,
  type: { name: string; desc: Desc },
  seed: number,
  registry: gob.Registry,
  shown: gob.AnySchema = gob.typedAny,
): Promise<{ first: unknown; last: unknown }> {
  const schema = schemaOf(type.desc, new Map(), shown) as gob.Schema<unknown, unknown>;
  const codec = options(registry);
  const sample = await peer.ask({ op: "sample", type: type.name, seed });
  if (sample.hex === undefined) throw new Error(sample.error);
  const first = gob.decode(schema, Buffer.from(sample.hex, "hex"), codec);
  const hex = gob.encode(schema, first, codec).toString("hex");
  const checked = await peer.ask({ op: "check", type: type.name, seed, hex });
  if (checked.equal !== true)
    throw new Error(
      `${checked.error ?? "Go decoded another value"}\ngot  ${checked.got}\nwant ${checked.want}\nhex  ${hex}`,
    );
  return { first, last: gob.decode(schema, Buffer.from(checked.hex!, "hex"), codec) };
}
