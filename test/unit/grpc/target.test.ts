import assert from "node:assert/strict";
import { test } from "node:test";
import { targetOf } from "../../../src/grpc/target.js";
import { socketTarget } from "../../../src/socket/address.js";

test("addresses as grpc-js names them", () => {
  assert.equal(targetOf({ network: "unix", address: "/tmp/plugin1" }), "unix:/tmp/plugin1");
  assert.equal(targetOf({ network: "unix", address: "//tmp/plugin1" }), "unix:/tmp/plugin1");
  assert.equal(targetOf({ network: "unix", address: "relative" }), "unix:relative");
  assert.equal(targetOf({ network: "tcp", address: "127.0.0.1:80" }), "dns:127.0.0.1:80");
  assert.equal(targetOf({ network: "tcp", address: "[::1]:80" }), "dns:[::1]:80");
  assert.equal(targetOf({ network: "tcp", address: ":80" }), "dns:localhost:80");
});

test("addresses as net.connect takes them", () => {
  assert.deepEqual(socketTarget({ network: "unix", address: "/tmp/plugin1" }, "linux"), {
    path: "/tmp/plugin1",
  });
  assert.deepEqual(socketTarget({ network: "tcp", address: "[::1]:80" }), { host: "::1", port: 80 });
  assert.deepEqual(socketTarget({ network: "tcp", address: ":80" }), { host: "localhost", port: 80 });
});
