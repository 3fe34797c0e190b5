import assert from "node:assert/strict";
import { test } from "node:test";
import { cookieProblem } from "../../../src/plugin/cookie.js";

const config = { magicCookieKey: "KEY", magicCookieValue: "value" };

test("the cookie has to be there and right", () => {
  assert.equal(cookieProblem(config, { KEY: "value" }), undefined);
  for (const env of [{}, { KEY: "" }, { KEY: "other" }, { key: "value" }]) {
    assert.match(
      cookieProblem(config, env) ?? "",
      /^This binary is a plugin\. These are not meant to be executed/,
    );
  }
});

test("a plugin without a cookie of its own says that its author forgot it", () => {
  for (const half of [{ magicCookieKey: "" }, { magicCookieValue: "" }]) {
    assert.match(cookieProblem({ ...config, ...half }, { "": "" }) ?? "", /^Misconfigured ServeConfig given/);
  }
});
