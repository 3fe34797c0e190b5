// A session's states, and who is told of them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Http2Error } from "../../../src/http2/index.js";
import { Lifecycle } from "../../../src/http2/lifecycle.js";

const reset = (): Http2Error => new Http2Error("ERR_HTTP2_CONNECTION", 0, "lost");

test("an open session takes streams, a draining or closed one says why not", async () => {
  const life = new Lifecycle();
  assert.equal(life.state, "opening");
  life.checkOpen();
  life.open();
  await life.ready;
  assert.equal(life.state, "open");
  life.checkOpen();
  life.drain();
  assert.throws(() => life.checkOpen(), { code: "ERR_HTTP2_REFUSED" });
  life.close(undefined);
  assert.throws(() => life.checkOpen(), { code: "ERR_HTTP2_CLOSED" });
  assert.equal(life.error, undefined);
});

test("a session that is closed while it opens was never ready", async () => {
  const life = new Lifecycle();
  const error = reset();
  life.close(error);
  await assert.rejects(life.ready, error);
  assert.throws(() => life.checkOpen(), error);
});

test("SETTINGS that come in a drain do not end it", async () => {
  const life = new Lifecycle();
  life.drain();
  life.open();
  await life.ready;
  assert.equal(life.state, "draining");
});

test("the ending is told once: at the drain, at the close, or at once", () => {
  const life = new Lifecycle();
  let told = 0;
  life.onEnding(() => told++);
  life.drain();
  assert.equal(told, 1);
  life.close(undefined);
  assert.equal(told, 1);
  life.onEnding(() => told++);
  assert.equal(told, 2);

  const closed = new Lifecycle();
  closed.onEnding(() => told++);
  closed.close(reset());
  assert.equal(told, 3);
});

test("gone follows the connection's end, not the close", async () => {
  const life = new Lifecycle();
  const order: string[] = [];
  void life.gone.then(() => order.push("gone"));
  life.close(undefined);
  await new Promise(setImmediate);
  order.push("closed");
  life.end();
  await life.gone;
  assert.deepEqual(order, ["closed", "gone"]);
});
