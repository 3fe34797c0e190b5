import { Fault } from "../errors.js";
import { rememberObject } from "../schema/remember.js";
import { bool, bytes, string } from "../schema/scalars.js";
import type { AnySchema, CustomNode, IntegerNode } from "../schema/schema.js";
import { TypedValue } from "../schema/typed-value.js";
import type { Reader } from "../wire/reader.js";
import type { DecodeOp } from "./decoding.js";
import { interfaceName } from "./skip.js";

/** A float64 as a float32. */
export function single(v: number, name: string): number {
  // Go lets infinities and NaN pass, and rounds what is merely too precise.
  if (Math.abs(v) > 3.4028234663852886e38 && Number.isFinite(v))
    throw overflow(name, v, `float32 ends at ${3.4028234663852886e38}`);
  return Math.fround(v);
}

function overflow(name: string, v: number, wanted: string): Fault {
  return new Fault("ERR_GOB_RANGE", `value for "${name}" out of range`, {
    detail: `the stream has ${v}, ${wanted}`,
  });
}

function unsafe(r: Reader, signed: boolean, name: string): Fault {
  const u = (BigInt(r.high) << 32n) | BigInt(r.low);
  const v = signed ? (u & 1n ? ~(u >> 1n) : u >> 1n) : u;
  return new Fault(
    "ERR_GOB_RANGE",
    `gob: ${v} for "${name}" is beyond a JavaScript number: use a bigint schema`,
  );
}

export function integerOp(node: IntegerNode, name: string): (r: Reader, into: unknown) => number | bigint {
  const signed = node.kind === "int";
  const { bits, form } = node;
  if (bits < 64) {
    const max = 2 ** (signed ? bits - 1 : bits) - 1;
    const min = signed ? -max - 1 : 0;
    const wanted = `${node.go} holds ${min} to ${max}`;
    return signed
      ? (r) => {
          const v = r.int();
          if (v < min || v > max) throw overflow(name, v, wanted);
          return v;
        }
      : (r) => {
          const v = r.uint();
          if (v > max) throw overflow(name, v, wanted);
          return v;
        };
  }
  if (form === "bigint") return signed ? (r) => r.bigInt() : (r) => r.bigUint();
  const auto = form === "auto";
  return (r) => {
    const { pos } = r;
    const v = signed ? r.int() : r.uint();
    if (Number.isSafeInteger(v)) return v;
    if (!auto) throw unsafe(r, signed, name);
    r.pos = pos;
    return signed ? r.bigInt() : r.bigUint();
  };
}

export function customOp(node: CustomNode): DecodeOp {
  return (r) => {
    const n = r.length("GobDecoder: invalid data");
    const start = r.pos;
    r.pos = start + n;
    const payload = r.keep(start, r.pos);
    try {
      return node.decode(payload);
    } catch (error) {
      if (error instanceof Fault) throw error;
      throw new Fault("ERR_GOB_MARSHALER", error instanceof Error ? error.message : String(error), {
        cause: error,
      });
    }
  };
}

/** Types that strings, booleans and bytes have of themselves. */
const DEFAULTS: ReadonlySet<AnySchema> = new Set([string, bool, bytes]);

/**
 * Reads an interface value. Unless the value shows its type itself, `arrived` has it afterwards, for the container to
 * remember.
 */
export function interfaceOp(typed: boolean): DecodeOp {
  return (r) => {
    const name = interfaceName(r);
    r.arrived = undefined;
    if (name === "") return null;
    const schema = r.registry.schema(name);
    if (schema === undefined)
      throw new Fault(
        "ERR_GOB_UNREGISTERED",
        `gob: name not registered for interface: ${JSON.stringify(name)}`,
        { detail: "gob.registry.register(schema, name) makes it known" },
      );
    r.enter();
    const id = r.interfaceHeader();
    const value = r.content(schema, id);
    r.depth--;
    r.arrived = undefined;
    if (typed) return new TypedValue(schema, value, name);
    if (DEFAULTS.has(schema)) return value;
    r.arrived = schema;
    if (typeof value === "object" && value !== null) rememberObject(value, schema);
    return value;
  };
}
