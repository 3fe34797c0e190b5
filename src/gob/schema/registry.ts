import { GobError } from "../errors.js";
import * as composites from "./composites.js";
import { goText, goTypeOf } from "./go-type.js";
import * as scalars from "./scalars.js";
import { type AnySchema, checkSchema, type GoType, Schema } from "./schema.js";

/**
 * The concrete types that interface values may have, by the names under which they travel. Every registry knows
 * Go's builtin names (`int`, `[]string`, ...), in which integers come out as numbers when safe, else as bigints.
 */
export class Registry {
  readonly #byName: Map<string, AnySchema>;
  readonly #byType: Map<GoType, string>;

  /** A registry that knows the builtin names only. */
  constructor() {
    this.#byName = new Map(builtins().byName);
    this.#byType = new Map(builtins().byType);
  }

  /**
   * Go's gob.Register and gob.RegisterName: the name defaults to the schema's own (its Go name, else Go's spelling
   * of the type). Registering the same again is fine; throws `ERR_GOB_USAGE` when the name or the type is taken.
   */
  register(schema: AnySchema, name?: string): this {
    checkSchema(schema);
    const type = goTypeOf(schema);
    const as = name ?? (schema.node.kind === "pointer" ? goText(schema) : type.registered);
    if (as === "") throw new GobError("ERR_GOB_USAGE", "attempt to register empty name");
    const taken = this.#byName.get(as);
    if (taken !== undefined && goTypeOf(taken) !== type)
      throw new GobError(
        "ERR_GOB_USAGE",
        `gob: registering duplicate types for ${JSON.stringify(as)}: ${goText(taken)} != ${goText(schema)}`,
      );
    const other = this.#byType.get(type);
    if (other !== undefined && other !== as)
      throw new GobError(
        "ERR_GOB_USAGE",
        `gob: registering duplicate names for ${goText(schema)}: ${JSON.stringify(other)} != ${JSON.stringify(as)}`,
      );
    if (taken === undefined) this.#byName.set(as, schema);
    this.#byType.set(type, as);
    return this;
  }

  /** What is registered beside Go's builtin types, by name, in the order of registration. */
  entries(): (readonly [name: string, schema: AnySchema])[] {
    return [...this.#byName].filter(([name]) => !builtins().byName.has(name));
  }

  /** The schema registered under a name. */
  schema(name: string): AnySchema | undefined {
    return this.#byName.get(name);
  }

  /** The name under which a schema's Go type travels. */
  nameOf(schema: AnySchema): string | undefined {
    return this.#byType.get(goTypeOf(schema));
  }
}

interface Tables {
  byName: Map<string, AnySchema>;
  byType: Map<GoType, string>;
}

let tables: Tables | undefined;

function builtins(): Tables {
  if (tables !== undefined) return tables;
  tables = { byName: new Map(), byType: new Map() };
  const auto = (of: AnySchema): AnySchema => {
    const { node } = of;
    return node.kind === "int" || node.kind === "uint" ? new Schema({ ...node, form: "auto" }) : of;
  };
  const { int, int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64, uintptr } = scalars;
  const { float32, float64, complex64, complex128, bool, string, bytes } = scalars;
  const all = [int, int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64, uintptr].map(auto);
  all.push(float32, float64, complex64, complex128, bool, string);
  const slices = all
    .filter((of) => of.node.kind !== "uint" || of.node.bits !== 8)
    .map((of) => composites.slice(of));
  for (const schema of [...all, bytes, ...slices]) {
    const name = goText(schema);
    tables.byName.set(name, schema);
    tables.byType.set(goTypeOf(schema), name);
  }
  return tables;
}

/** The registry that encoders and decoders use unless they are given one. */
export const registry = new Registry();
