// How long a server that drains still takes streams.
import assert from "node:assert/strict";
import { test } from "node:test";
import { LastCall } from "../../../src/http2/last-call.js";

function start() {
  let answer: (() => void) | undefined;
  let expire: (() => void) | undefined;
  let over = 0;
  const lastCall = new LastCall(
    { ping: (onAnswer) => (answer = onAnswer) },
    { start: (_, then) => (expire = then) },
    () => over++,
  );
  return { lastCall, answer: () => answer!(), expire: () => expire!(), over: () => over };
}

test("it is over when the client has answered, and only once", () => {
  const { lastCall, answer, expire, over } = start();
  assert.equal(lastCall.isRunning, false);
  lastCall.begin();
  assert.equal(lastCall.isRunning, true);
  assert.equal(over(), 0);
  answer();
  assert.equal(lastCall.isRunning, false);
  expire();
  assert.equal(over(), 1);
});

test("it is over after a time, if the client does not answer", () => {
  const { lastCall, answer, expire, over } = start();
  lastCall.begin();
  expire();
  assert.equal(lastCall.isRunning, false);
  answer();
  assert.equal(over(), 1);
});
