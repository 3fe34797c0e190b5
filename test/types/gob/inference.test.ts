// Checked by the compiler: `npx tsc -p tsconfig.json`. What runs only shows that the file is looked at.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as gob from "../../../src/gob/index.js";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_: Same<A, B>): void {}

type In<S> = gob.Input<S>;
type Out<S> = gob.Output<S>;

same<Out<typeof gob.bool>, boolean>(true);
same<In<typeof gob.bool>, boolean>(true);
same<Out<typeof gob.int>, number>(true);
same<In<typeof gob.int>, number>(true);
same<Out<typeof gob.intBigint>, bigint>(true);
same<Out<typeof gob.int8>, number>(true);
same<Out<typeof gob.int64>, bigint>(true);
same<In<typeof gob.int64>, bigint | number>(true);
same<Out<typeof gob.int64Number>, number>(true);
same<Out<typeof gob.uint>, number>(true);
same<Out<typeof gob.uint64>, bigint>(true);
same<Out<typeof gob.uintptr>, bigint>(true);
same<Out<typeof gob.float32>, number>(true);
same<Out<typeof gob.complex128>, gob.Complex>(true);
same<Out<typeof gob.string>, string>(true);
same<In<typeof gob.rawString>, string | Uint8Array>(true);
same<Out<typeof gob.rawString>, Buffer>(true);
same<Out<typeof gob.bytes>, Buffer>(true);
same<In<typeof gob.bytes>, Uint8Array | null>(true);
same<Out<typeof gob.any>, unknown>(true);
same<Out<typeof gob.typedAny>, gob.TypedValue | null>(true);
same<Out<typeof gob.time>, gob.GoTime>(true);
same<In<typeof gob.time>, gob.GoTime | Date>(true);
same<Out<typeof gob.bigInt>, bigint>(true);
same<Out<typeof gob.bigRat>, gob.Rational>(true);
same<Out<typeof gob.url>, string>(true);
same<Out<typeof gob.emptyStruct>, Record<never, never>>(true);

const ints = gob.slice(gob.int);
same<In<typeof ints>, readonly number[] | null>(true);
same<Out<typeof ints>, number[]>(true);
const triple = gob.array(gob.string, 3);
same<Out<typeof triple>, string[]>(true);
const counts = gob.map(gob.string, gob.int);
same<In<typeof counts>, ReadonlyMap<string, number> | Readonly<Record<string, number>> | null>(true);
same<Out<typeof counts>, Map<string, number>>(true);
const byId = gob.map(gob.int64, gob.bool, { nilable: true });
same<In<typeof byId>, ReadonlyMap<bigint | number, boolean> | null>(true);
same<Out<typeof byId>, Map<bigint, boolean> | null>(true);
const maybe = gob.pointer(gob.int);
same<In<typeof maybe>, number | null>(true);
same<Out<typeof maybe>, number | null>(true);
const weekday = gob.named("example.com/cal.Weekday", gob.int);
same<Out<typeof weekday>, number>(true);

const order = gob.struct({
  Id: gob.int64,
  Items: gob.slice(gob.struct({ Price: gob.float64 })),
  At: gob.time,
});
same<Out<typeof order>, { Id: bigint; Items: { Price: number }[]; At: gob.GoTime }>(true);
same<
  In<typeof order>,
  {
    readonly Id?: bigint | number | undefined;
    readonly Items?: readonly { readonly Price?: number | undefined }[] | null | undefined;
    readonly At?: gob.GoTime | Date | undefined;
  }
>(true);

interface Tree {
  Name: string;
  Kids: Tree[];
}
const tree: gob.Schema<Partial<Tree>, Tree> = gob.lazy(() =>
  gob.struct({ Name: gob.string, Kids: gob.slice(tree) }),
);
same<Out<typeof tree>, Tree>(true);

// Recursive types are inferred: from a getter, which may wrap the struct in anything, and from a lazy field.
const node = gob.struct({
  Name: gob.string,
  get Children() {
    return gob.slice(node);
  },
  get Parent() {
    return gob.pointer(node);
  },
  get ByName() {
    return gob.map(gob.string, gob.pointer(node));
  },
});
type NodeOut = Out<typeof node>;
same<NodeOut["Children"], NodeOut[]>(true);
same<NodeOut["Parent"], NodeOut | null>(true);
same<NodeOut["ByName"], Map<string, NodeOut | null>>(true);
same<NonNullable<NonNullable<NodeOut["Parent"]>["Children"][0]>["Name"], string>(true);
const lazyNode = gob.struct({ Name: gob.string, Children: gob.lazy(() => gob.slice(lazyNode)) });
same<Out<typeof lazyNode>["Children"][0]["Children"][0]["Name"], string>(true);
const left = gob.struct({
  Label: gob.string,
  get Right() {
    return gob.pointer(right);
  },
});
const right = gob.struct({ Lefts: gob.map(gob.string, left) });
same<NonNullable<Out<typeof left>["Right"]>, Out<typeof right>>(true);

// What comes out goes in.
const post = gob.struct({
  Id: gob.string,
  Props: gob.map(gob.string, gob.any),
  At: gob.time,
  Extra: gob.any,
  List: gob.slice(gob.any),
  Node: gob.pointer(node),
});
export function sendBack(encoder: gob.Encoder, received: Out<typeof post>): void {
  encoder.encode(post, received);
  encoder.encode(post, { ...received, Id: "changed" });
  encoder.encode(post, { Props: received.Props, List: [received.Extra, ...received.List] });
}

same<Out<typeof node>, ReturnType<typeof gob.zero<typeof node>>>(true);
const oneArgument = gob.custom<bigint>({
  name: "example.com/shop.Cents",
  marshaler: "binary",
  encode: (cents) => Buffer.from(String(cents)),
  decode: (payload) => BigInt(payload.toString()),
  zero: () => 0n,
});
same<In<typeof oneArgument>, bigint>(true);
same<Out<typeof oneArgument>, bigint>(true);
const byUuid = gob.map(gob.uuid, gob.int);
same<In<typeof byUuid>, ReadonlyMap<string, number> | Readonly<Record<string, number>> | null>(true);

const money = gob.custom({
  name: "example.com/shop.Money",
  marshaler: "binary",
  encode: (cents: bigint) => Buffer.from(String(cents)),
  decode: (payload) => BigInt(payload.toString()),
  zero: () => 0n,
});
same<Out<typeof money>, bigint>(true);

/** Never called: these must not compile. */
export function wrong(encoder: gob.Encoder, decoder: gob.Decoder): void {
  // @ts-expect-error a string is no int
  encoder.encode(gob.int, "5");
  // @ts-expect-error a bigint is no int: intBigint takes one
  encoder.encode(gob.int, 5n);
  // @ts-expect-error null is no string
  encoder.encode(gob.string, null);
  // @ts-expect-error a child's name is a string
  encoder.encode(node, { Children: [{ Children: [{ Name: 5 }] }] });
  // @ts-expect-error the other's other is a node again
  encoder.encode(left, { Right: { Lefts: { a: { Label: 5 } } } });
  // @ts-expect-error a lazy schema is made by a function
  gob.lazy(5);
  // @ts-expect-error a field's type stands in the message, by the field's name
  gob.zero(node) satisfies { Name: number };
  // @ts-expect-error the field is called Id
  encoder.encode(order, { ID: 5n });
  // @ts-expect-error a price is a number
  encoder.encode(order, { Items: [{ Price: "1" }] });
  // @ts-expect-error only string keys can stand in an object
  encoder.encode(byId, { 1: true });
  // @ts-expect-error elements cannot be missing
  encoder.encode(ints, [undefined]);
  // @ts-expect-error value() checks the value against the schema
  gob.value(gob.int, "x");
  // @ts-expect-error more may be needed first
  const text: string = decoder.decode(gob.string);
  // @ts-expect-error what is decoded into has to be of the type
  decoder.decode(counts, { a: 1 });
  assert.equal(text, undefined);
}

test("a schema's types are those of its values", () => {
  const value: Out<typeof order> = gob.decode(order, gob.encode(order, { Id: 5, Items: [{ Price: 1.5 }] }));
  assert.deepEqual(value, { Id: 5n, Items: [{ Price: 1.5 }], At: gob.GoTime.zero() });
  assert.equal(gob.decode(money, gob.encode(money, 5n)), 5n);
});
