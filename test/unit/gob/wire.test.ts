// Streams that only a broken or hostile peer sends, and what Go's decoder answers to each.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as gob from "../../../src/gob/index.js";

/** A stream of messages, each given as hex without its length. */
const stream = (...messages: string[]): Buffer =>
  Buffer.concat(
    messages.map((hex) => {
      const body = Buffer.from(hex, "hex");
      assert.ok(body.length < 128);
      return Buffer.concat([Buffer.of(body.length), body]);
    }),
  );
const corrupt = (goText: string) => ({ code: "ERR_GOB_CORRUPT", goText });

test("an integer of more than eight bytes", () => {
  for (const schema of [gob.uint64, gob.uint, gob.rawString])
    assert.throws(
      () =>
        gob.decode(
          schema as gob.AnySchema,
          stream(schema === gob.rawString ? "0c00f7" : "0600f7ffffffffffffffffff"),
        ),
      schema === gob.rawString
        ? { code: "ERR_GOB_CORRUPT" }
        : corrupt("gob: encoded unsigned integer out of range"),
    );
  assert.throws(
    () => gob.decode(gob.float64, stream("0800f7ffffffffffffffffff")),
    corrupt("gob: encoded unsigned integer out of range"),
  );
  assert.equal(gob.decode(gob.uint64, stream("0600f8ffffffffffffffff")), 2n ** 64n - 1n);
});

test("a struct definition that announces more fields than it has bytes", () => {
  // StructT { CommonType { Id 64 }, Field: 2^40 of them }
  const definition = "7f 03 01 02 ff80 00 01 fa010000000000".replaceAll(" ", "");
  assert.throws(
    () => gob.decode(gob.emptyStruct, stream(definition)),
    corrupt("gob: []fieldType slice too big: 1099511627776 elements"),
  );
});

test("a definition of two kinds at once", () => {
  // ArrayT { Elem int, Len 1 } and SliceT { Elem int }
  const definition = "7f 01 01 00 01 04 01 02 00 01 01 00 01 04 00 00".replaceAll(" ", "");
  assert.throws(
    () => gob.decode(gob.slice(gob.int), stream(definition)),
    corrupt("gob: bad data: a type of two kinds"),
  );
});

test("a type that contains itself is named in errors, once", () => {
  const node = gob.struct(
    {
      Label: gob.string,
      get Kids() {
        return gob.slice(node);
      },
    },
    { name: "main.Node" },
  );
  assert.throws(() => gob.decode(gob.int, gob.encode(node, {})), {
    goText:
      "gob: decoding into local type *int, received remote type Node = struct { Label string; Kids []Node; }",
  });
});

test("a byte value holds on to its message only if it is most of it", () => {
  const schema = gob.slice(gob.bytes);
  const part = 5000;
  const decode = (rest: number): Buffer[] =>
    gob.decode(schema, gob.encode(schema, [Buffer.alloc(part, 1), Buffer.alloc(rest, 2)]));
  assert.ok(decode(1 << 20)[0]!.buffer.byteLength < 2 * part + 1024);
  const whole = gob.encode(gob.bytes, Buffer.alloc(1 << 20, 3));
  assert.equal(gob.decode(gob.bytes, whole).buffer, whole.buffer);
});
