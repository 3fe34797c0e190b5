import assert from "node:assert/strict";
import { after, beforeEach, describe, test } from "node:test";
import { setGenerate } from "../../../src/gob/codegen.js";
import * as gob from "../../../src/gob/index.js";

// One set of schemas for generated code and one for closures: what is compiled hangs on the schema.
for (const generate of [true, false])
  describe(generate ? "in generated code" : "in closures", () => {
    beforeEach(() => setGenerate(generate));
    after(() => setGenerate(true));

    const registry = new gob.Registry();
    const options = { registry };
    const point = gob.struct({ X: gob.int, Y: gob.int }, { name: "example.com/geo.Point" });
    const size = gob.struct({ W: gob.int }, { name: "example.com/geo.Size" });
    const status = gob.named("example.com/geo.Status", gob.string);
    const bag = gob.map(gob.string, gob.any);
    const list = gob.slice(gob.any);
    const typedList = gob.slice(gob.typedAny);
    const holder = gob.struct({ Label: gob.string, Value: gob.any, More: gob.any, Bag: bag, List: list });
    const typedHolder = gob.struct({ Value: gob.typedAny });
    registry.register(point).register(gob.pointer(size)).register(status);
    registry.register(bag).register(list).register(gob.time).register(gob.url).register(gob.bigInt);

    const names = (values: readonly unknown[]): string[] =>
      gob
        .decode(typedList, gob.encode(list, values, options), options)
        .map((of) => (of === null ? "nil" : of.name));
    const nameIn = (value: unknown): string | undefined =>
      gob.decode(typedHolder, gob.encode(holder, { Value: value }, options), options).Value?.name;
    const arrive = (values: readonly unknown[]): unknown[] =>
      gob.decode(list, gob.encode(list, values, options), options);
    const ambiguous = { code: "ERR_GOB_VALUE", message: /give it one with value\(schema, v\)/ };

    const everyKind = (): [name: string, value: unknown][] => [
      ["int", gob.value(gob.int, 5)],
      ["int64", gob.value(gob.int64, 2n ** 60n)],
      ["uint8", gob.value(gob.uint8, 5)],
      ["float32", gob.value(gob.float32, 1)],
      ["float64", gob.value(gob.float64, 1)],
      ["complex128", gob.value(gob.complex128, { re: 1, im: 2 })],
      ["bool", true],
      ["string", "s"],
      ["[]uint8", Buffer.from("b")],
      ["[]int", gob.value(gob.slice(gob.int), [1, 2])],
      ["example.com/geo.Status", gob.value(status, "on")],
      ["example.com/geo.Point", gob.value(point, { X: 1, Y: 2 })],
      ["*geo.Size", gob.value(gob.pointer(size), { W: 3 })],
      ["map[string]interface {}", gob.value(bag, { deep: gob.value(gob.uint16, 7) })],
      ["[]interface {}", gob.value(list, [gob.value(gob.float64, 7)])],
      ["time.Time", gob.value(gob.time, new Date(0))],
      ["net/url.URL", gob.value(gob.url, "http://a/")],
      ["math/big.Int", gob.value(gob.bigInt, 2n ** 70n)],
      ["nil", null],
    ];

    test("whatever arrived in an interface goes back as the Go type that it was", () => {
      const kinds = everyKind();
      const values = arrive(kinds.map(([, value]) => value));
      assert.deepEqual(
        names(values),
        kinds.map(([name]) => name),
      );
      for (const [name, value] of kinds) {
        const stream = gob.encode(holder, { Value: value, Bag: { k: value }, List: [value] }, options);
        const arrived = gob.decode(holder, stream, options);
        assert.deepEqual(gob.encode(holder, arrived, options), stream, name);
        // As a field of another object, under another key: not if the type hangs on the place.
        if (typeof arrived.Value === "object" && arrived.Value !== null)
          assert.equal(nameIn(arrived.Value), name);
      }
    });

    test("a struct that was received, changed in one field and sent back", () => {
      const stream = gob.encode(
        holder,
        { Label: "a", Bag: { n: gob.value(gob.int, 5), f: gob.value(gob.float64, 5), s: "x" } },
        options,
      );
      const received = gob.decode(holder, stream, options);
      const sent = gob.decode(holder, gob.encode(holder, { ...received, Label: "b" }, options), options);
      assert.deepEqual(sent, { ...received, Label: "b" });
      received.Bag.set("n", 6);
      received.Bag.set("s", "y");
      received.Bag.set("new", "z");
      const typed = gob.decode(
        gob.map(gob.string, gob.typedAny),
        gob.encode(bag, received.Bag, options),
        options,
      );
      assert.deepEqual(
        [...typed].map(([key, of]) => [key, of?.name, of?.value]),
        [
          ["n", "int", 6],
          ["f", "float64", 5],
          ["s", "string", "y"],
          ["new", "string", "z"],
        ],
      );
    });

    test("a place keeps its type for values that fit it; null and value() are always free", () => {
      const received = gob.decode(
        holder,
        gob.encode(holder, { Value: gob.value(gob.int, 5) }, options),
        options,
      );
      const send = (value: unknown): string | undefined => {
        received.Value = value;
        return gob.decode(typedHolder, gob.encode(holder, received, options), options).Value?.name;
      };
      assert.equal(send(7), "int");
      assert.equal(send("text"), "string");
      assert.equal(send(gob.value(gob.uint8, 1)), "uint8");
      assert.equal(send(null), undefined);
      assert.equal(send(8), "int");
      assert.throws(() => send(7.5), { code: "ERR_GOB_VALUE", message: /7\.5 as int.*\.Value\)/s });
      // The other interface of the same struct has had no number.
      received.Value = null;
      received.More = 7;
      assert.throws(() => gob.encode(holder, received, options), { ...ambiguous, path: /\.More$/ });
    });

    test("a place takes a new object as the type that it held, and an object takes its type along", () => {
      const stream = gob.encode(
        bag,
        {
          p: gob.value(point, { X: 1 }),
          s: gob.value(gob.pointer(size), { W: 1 }),
          m: gob.value(bag, {}),
        },
        options,
      );
      const received = gob.decode(bag, stream, options);
      const p = received.get("p") as { X: number; Y: number };
      received.set("p", { ...p, X: 9 });
      received.set("moved", p);
      received.set("m", { plain: "object" });
      const swapped = received.get("s");
      received.set("s", p);
      received.set("p", swapped);
      const typed = gob.decode(
        gob.map(gob.string, gob.typedAny),
        gob.encode(bag, received, options),
        options,
      );
      const of = (key: string): unknown[] => [typed.get(key)?.name, typed.get(key)?.value];
      assert.deepEqual(of("moved"), ["example.com/geo.Point", { X: 1, Y: 0 }]);
      assert.deepEqual(of("s"), ["example.com/geo.Point", { X: 1, Y: 0 }]);
      assert.deepEqual(of("p"), ["*geo.Size", { W: 1 }]);
      assert.deepEqual(of("m"), ["map[string]interface {}", new Map([["plain", "object"]])]);
    });

    test("an array of one type keeps it for all of its numbers, one of several for those that stand as they came", () => {
      const ints = arrive([gob.value(gob.int, 1), gob.value(gob.int, 2), "s"]);
      ints.unshift(7);
      ints.push(8);
      assert.deepEqual(names(ints), ["int", "int", "int", "string", "int"]);
      const mixed = arrive([gob.value(gob.int, 1), gob.value(gob.float64, 2), "s"]);
      assert.deepEqual(names(mixed), ["int", "float64", "string"]);
      mixed[1] = 3;
      assert.throws(() => names(mixed), { ...ambiguous, path: /\[1\]$/ });
      mixed.reverse();
      assert.throws(() => names(mixed), ambiguous);
      const texts = arrive(["http://a/", gob.value(gob.url, "http://b/")]);
      assert.deepEqual(names(texts), ["string", "net/url.URL"]);
      texts.reverse();
      assert.deepEqual(names(texts), ["string", "string"]);
    });

    test("a copy has forgotten, and says so, until it is told", () => {
      const received = gob.decode(
        holder,
        gob.encode(holder, { Value: gob.value(gob.int, 5), Bag: { n: gob.value(gob.int8, 5) } }, options),
        options,
      );
      assert.throws(() => gob.encode(holder, { ...received }, options), { ...ambiguous, path: /\.Value$/ });
      const copy = gob.keepTypes(received, { ...received, Label: "copy" });
      received.Label = "copy";
      assert.deepEqual(gob.encode(holder, copy, options), gob.encode(holder, received, options));
      const bagCopy = new Map(received.Bag);
      assert.throws(() => gob.encode(bag, bagCopy, options), { ...ambiguous, path: /\["n"\]$/ });
      gob.keepTypes(received.Bag, bagCopy);
      assert.deepEqual(gob.encode(bag, bagCopy, options), gob.encode(bag, received.Bag, options));
      assert.throws(() => gob.keepTypes(received.Bag, [] as never), { code: "ERR_GOB_USAGE" });
      // From here on each is its own: what is decoded into the original says nothing of the copy.
      const decoder = new gob.Decoder(options);
      decoder.push(gob.encode(bag, { n: "text" }, options));
      decoder.decode(bag, received.Bag);
      assert.throws(() => gob.encode(bag, received.Bag.set("n", 5), options), ambiguous);
      assert.ok(gob.encode(bag, bagCopy.set("n", 5), options));
    });

    test("keys that are interfaces keep their types, too", () => {
      const keyed = gob.map(gob.any, gob.string);
      const stream = gob.encode(
        keyed,
        new Map<unknown, string>([
          [gob.value(gob.int8, 1), "a"],
          ["k", "b"],
        ]),
        options,
      );
      const received = gob.decode(keyed, stream, options);
      assert.deepEqual(
        received,
        new Map<unknown, string>([
          [1, "a"],
          ["k", "b"],
        ]),
      );
      assert.deepEqual(gob.encode(keyed, received, options), stream);
      // int8(1) and int16(1) are two keys in Go.
      const two = gob.encode(
        keyed,
        new Map([
          [gob.value(gob.int8, 1), "a"],
          [gob.value(gob.int16, 1), "b"],
        ]),
        options,
      );
      assert.throws(() => gob.decode(keyed, two, options), { code: "ERR_GOB_MISMATCH", message: /two keys/ });
      assert.equal(gob.decode(gob.map(gob.typedAny, gob.string), two, options).size, 2);
    });

    test("decoding into a value remembers anew", () => {
      const first = gob.decode(
        holder,
        gob.encode(holder, { Value: gob.value(gob.int, 5) }, options),
        options,
      );
      const encoder = new gob.Encoder(options);
      const decoder = new gob.Decoder(options);
      encoder.encode(holder, { Value: gob.value(gob.uint8, 6), Bag: { x: gob.value(gob.int8, 1) } });
      decoder.push(encoder.take());
      assert.equal(decoder.decode(holder, first), first);
      assert.equal(gob.decode(typedHolder, gob.encode(holder, first, options), options).Value?.name, "uint8");
      encoder.encode(holder, { Value: "s", Bag: { x: "y" } });
      decoder.push(encoder.take());
      decoder.decode(holder, first);
      first.Value = 5;
      assert.throws(() => gob.encode(holder, first, options), ambiguous);
    });
  });
