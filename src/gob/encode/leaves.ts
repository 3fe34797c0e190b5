import { Fault } from "../errors.js";
import { goText } from "../schema/go-type.js";
import type { AnySchema, CustomNode, IntegerNode } from "../schema/schema.js";
import type { EncodeOp, Encoding } from "./encoding.js";

/** What a value looks like in an error message. */
export function show(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === "string")
    return `the string ${JSON.stringify(value.length > 20 ? `${value.slice(0, 20)}...` : value)}`;
  if (typeof value === "object") return `an object (${value.constructor?.name ?? "no prototype"})`;
  return `the ${typeof value} ${String(value)}`;
}

export function unfit(value: unknown, schema: AnySchema): Fault {
  return new Fault("ERR_GOB_VALUE", `gob: cannot encode ${show(value)} as ${goText(schema)}`);
}

function outOfRange(value: unknown, node: IntegerNode): Fault {
  return new Fault("ERR_GOB_RANGE", `gob: ${String(value)} does not fit ${node.go}`);
}

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);

/** Writes an integer of any form, checking its range. */
export function integerOp(schema: AnySchema, node: IntegerNode): EncodeOp {
  const { bits, kind } = node;
  const signed = kind === "int";
  const min = signed ? -(2n ** BigInt(bits - 1)) : 0n;
  const max = 2n ** BigInt(signed ? bits - 1 : bits) - 1n;
  const low = Number(min < -MAX_SAFE ? -MAX_SAFE : min);
  const high = Number(max > MAX_SAFE ? MAX_SAFE : max);
  return (w, v) => {
    if (typeof v === "number") {
      if (!Number.isInteger(v)) throw unfit(v, schema);
      if (v < low || v > high) throw outOfRange(v, node);
      if (signed) w.int(v);
      else w.uint(v);
    } else if (typeof v === "bigint") {
      if (v < min || v > max) throw outOfRange(v, node);
      if (signed) w.bigInt(v);
      else w.bigUint(v);
    } else throw unfit(v, schema);
  };
}

/** Rounds to float32; a finite number that would become infinite is refused, as by Go's decoder. */
export function singlePrecision(v: number): number {
  const rounded = Math.fround(v);
  if (Number.isFinite(v) && !Number.isFinite(rounded))
    throw new Fault("ERR_GOB_RANGE", `gob: ${v} does not fit float32`);
  return rounded;
}

export function complexEncoding(schema: AnySchema, single: boolean): Encoding {
  return {
    write: (w, v) => {
      const { re, im } = (v ?? {}) as { re?: unknown; im?: unknown };
      if (typeof re !== "number" || typeof im !== "number") throw unfit(v, schema);
      w.float(single ? singlePrecision(re) : re);
      w.float(single ? singlePrecision(im) : im);
    },
    omit: (v) => {
      if (v === undefined) return true;
      const { re, im } = (v ?? {}) as { re?: unknown; im?: unknown };
      return re === 0 && im === 0;
    },
  };
}

export function customEncoding(node: CustomNode): Encoding {
  return {
    write: (w, v) => {
      let payload: Uint8Array;
      try {
        payload = node.encode((v === undefined ? node.zero() : v) as never);
      } catch (error) {
        if (error instanceof Fault) throw error;
        throw new Fault("ERR_GOB_MARSHALER", error instanceof Error ? error.message : String(error), {
          cause: error,
        });
      }
      w.bytes(payload);
    },
    omit: (v) => node.isZero((v === undefined ? node.zero() : v) as never),
  };
}
