import assert from "node:assert/strict";
import { test } from "node:test";
import { explained } from "../../../src/grpc/load-grpc-js.js";

test("a missing grpc-js is named, with what to do", async () => {
  const missing = Object.assign(new Error("Cannot find package '@grpc/grpc-js' imported from x"), {
    code: "ERR_MODULE_NOT_FOUND",
  });
  await assert.rejects(
    explained("a service", () => Promise.reject(missing)),
    (error: Error & { code: string }) =>
      error.code === "ERR_GRPC_MISSING" && error.cause === missing && /npm install/.test(error.message),
  );
});

test("other failures of loading come as they are", async () => {
  const other = Object.assign(new Error("Cannot find package 'else'"), { code: "ERR_MODULE_NOT_FOUND" });
  await assert.rejects(
    explained("a service", () => Promise.reject(other)),
    (error) => error === other,
  );
  assert.equal(await explained("a service", async () => 5), 5);
});
