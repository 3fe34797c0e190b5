import assert from "node:assert/strict";
import { test } from "node:test";
import { explained } from "../../../src/grpc/load-grpc-js.js";

test("a missing grpc-js is named, with what to do", () => {
  const missing = Object.assign(new Error("Cannot find package '@grpc/grpc-js' imported from x"), {
    code: "ERR_MODULE_NOT_FOUND",
  });
  const error = explained(missing, "a service") as Error & { code: string };
  assert.equal(error.code, "ERR_GRPC_MISSING");
  assert.equal(error.cause, missing);
  assert.match(error.message, /a service.*npm install/s);
});

test("other failures of loading come as they are", () => {
  const other = Object.assign(new Error("Cannot find package 'else'"), { code: "ERR_MODULE_NOT_FOUND" });
  assert.equal(explained(other, "a service"), other);
});
