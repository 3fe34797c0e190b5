import assert from "node:assert/strict";
import { test } from "node:test";
import { BasicError, basicError, GoplugError, gob } from "../../../src/index.js";

test("an error that is a value: made of errors and of decoded values", () => {
  const error = new BasicError("oops");
  assert(error instanceof GoplugError);
  assert.deepEqual(
    [error.name, error.code, error.message, error.Message],
    ["BasicError", "ERR_BASIC", "oops", "oops"],
  );
  assert.equal(BasicError.of(null), null);
  assert.equal(BasicError.of({ Message: "decoded" })?.message, "decoded");
  assert.equal(BasicError.from(new TypeError("typed")).message, "typed");
  assert.equal(BasicError.from("text").message, "text");
  assert.equal(BasicError.from(undefined).message, "undefined");
});

test("travels as Go's *plugin.BasicError: as a field, null included", () => {
  const reply = gob.struct({ Value: gob.string, Error: basicError });
  for (const error of [new BasicError("oops"), BasicError.from(new Error("oops"))]) {
    const decoded = gob.decode(reply, gob.encode(reply, { Value: "v", Error: error }));
    assert.deepEqual(decoded, { Value: "v", Error: { Message: "oops" } });
  }
  assert.deepEqual(gob.decode(reply, gob.encode(reply, { Value: "v" })), { Value: "v", Error: null });
});

test("travels in an interface under the name that Go registers it by", () => {
  const reply = gob.struct({ Error: gob.typedAny });
  const bytes = gob.encode(reply, { Error: gob.value(basicError, new BasicError("inside")) });
  assert(Buffer.from(bytes).includes("*plugin.BasicError"));
  const { Error: inside } = gob.decode(reply, bytes);
  assert.equal(inside?.name, "*plugin.BasicError");
  assert.deepEqual(inside?.value, { Message: "inside" });
});
