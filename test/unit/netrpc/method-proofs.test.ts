// Calls that wait until it is known whether the peer has their method.
import assert from "node:assert/strict";
import { test } from "node:test";
import { emptyStruct, string } from "../../../src/gob/index.js";
import { DefinedMethods } from "../../../src/netrpc/defined-methods.js";
import { RemoteError, ShutdownError } from "../../../src/netrpc/errors.js";
import { MethodProofs } from "../../../src/netrpc/method-proofs.js";
import { OwnCalls } from "../../../src/netrpc/own-calls.js";
import { PendingCall } from "../../../src/netrpc/pending-call.js";

function start() {
  const asked: PendingCall[] = [];
  const submitted: PendingCall[] = [];
  const failed: unknown[] = [];
  const client = { over: false };
  const ownCalls = new OwnCalls((call) => asked.push(call));
  const proofs = new MethodProofs(ownCalls, {
    isOver: () => client.over,
    submit: (call) => submitted.push(call),
    refusal: (text) => new Error(`refused: ${text}`),
  });
  const call = (method: string): PendingCall =>
    new PendingCall(
      method,
      string,
      "",
      emptyStruct,
      undefined,
      undefined,
      () => {},
      (error) => failed.push(error),
    );
  return { proofs, ownCalls, asked, submitted, failed, client, call };
}

test("the first call of a method asks, and all that waited go out once the peer is known to have it", () => {
  const { proofs, ownCalls, asked, submitted, call } = start();
  const calls = [call("T.A"), call("T.A"), call("T.B")];
  for (const one of calls) proofs.hold(one);
  assert.deepEqual(
    asked.map(({ serviceMethod }) => serviceMethod),
    ["T.A", "T.B"],
  );
  assert.deepEqual([proofs.waiting, ownCalls.count], [3, 2]);
  // Go's answer where there is such a method: the argument's type does not fit.
  asked[0]!.fail(new RemoteError("gob: type mismatch", "T.A"));
  assert.deepEqual(submitted, calls.slice(0, 2));
  assert.deepEqual([proofs.has("T.A"), proofs.has("T.B")], [true, false]);
  assert.deepEqual([proofs.waiting, ownCalls.count], [1, 1]);
});

test("a method that is not there fails its calls, but not those that were given up", () => {
  const { proofs, asked, submitted, failed, call } = start();
  const given = call("T.A");
  proofs.hold(given);
  proofs.hold(call("T.A"));
  assert.equal(proofs.abandon(given), true);
  assert.equal(proofs.abandon(given), false);
  const text = "rpc: can't find method T.A";
  asked[0]!.fail(new RemoteError(text, "T.A"));
  assert.deepEqual(failed.map(String), [`Error: refused: ${text}`]);
  assert.deepEqual([submitted.length, proofs.has("T.A")], [0, false]);
});

test("the client's end is the end of all that wait", () => {
  const { proofs, asked, failed, client, call } = start();
  proofs.hold(call("T.A"));
  client.over = true;
  const error = new ShutdownError();
  asked[0]!.fail(error);
  assert.deepEqual(failed, [error]);
  assert.equal(proofs.waiting, 0);
});

test("a refusal names what may have been meant, where the method is what is missing", () => {
  const defined = new DefinedMethods();
  defined.add("Plugin", ["Greet", "Leave"]);
  const refusal = defined.refusal("rpc: can't find method Plugin.greet", "Plugin.greet");
  assert.deepEqual(refusal.didYouMean, ["Plugin.Greet"]);
  assert.equal(defined.refusal("no luck", "Plugin.greet").didYouMean, undefined);
});
