// A contract that was written in TypeScript, of which `goplug gen --go` makes the Go half.
import { basicError, gob, netRpcPlugin } from "../../../../src/index.js";

export const money = gob.custom<bigint>({
  name: "example.com/shop.Money",
  marshaler: "gob",
  encode: (cents) => Buffer.from(`${cents}`),
  decode: (payload) => BigInt(payload.toString()),
  zero: () => 0n,
  isZero: (cents) => cents === 0n,
});

export const part = gob.struct(
  {
    Name: gob.string,
    get Parts() {
      return gob.slice(part);
    },
    get Whole() {
      return gob.pointer(part);
    },
  },
  { name: "example.com/shop.Part" },
);

export const order = gob.struct(
  {
    Id: gob.int64,
    Colour: gob.named("example.com/shop.Colour", gob.string),
    Digest: gob.array(gob.uint8, 4),
    Prices: gob.map(gob.string, gob.float32),
    Placed: gob.time,
    Total: money,
    Spent: gob.pointer(gob.bigInt),
    Wait: gob.named("time.Duration", gob.int64),
    Part: gob.pointer(part),
    Any: gob.any,
    Inner: gob.struct({ Deep: gob.slice(gob.struct({ X: gob.int, Y: gob.complex64 })) }),
    Bytes: gob.bytes,
  },
  { name: "example.com/shop.Order" },
);

const registry = new gob.Registry()
  .register(gob.pointer(part))
  .register(order, "an order")
  .register(gob.slice(gob.any))
  .register(gob.map(gob.string, gob.any))
  .register(basicError);

export const shop = netRpcPlugin(
  {
    Echo: [order, order],
    Any: [gob.any, gob.any],
    Count: [gob.struct({ Of: gob.slice(gob.string) }), gob.int],
    Fail: [gob.string, gob.emptyStruct],
  },
  { registry },
);

/** What the broker would serve. */
export const helper = { Sum: [gob.struct({ A: gob.int64, B: gob.int64 }), gob.int64] } as const;
