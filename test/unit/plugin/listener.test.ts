import assert from "node:assert/strict";
import { test } from "node:test";
import { listenOptions } from "../../../src/plugin/listener.js";

const env = {
  PLUGIN_MIN_PORT: "7",
  PLUGIN_MAX_PORT: "",
  PLUGIN_UNIX_SOCKET_DIR: "/d",
  PLUGIN_UNIX_SOCKET_GROUP: "g",
};

test("the host's wishes hold for the plugin's socket and its broker's", () => {
  const wished = { network: undefined, minPort: 7, maxPort: 0, directory: "/d", group: "g" };
  assert.deepEqual(listenOptions({}, env), { main: wished, broker: wished });
});

test("a port of the plugin's own is not its broker's", () => {
  const { main, broker } = listenOptions({ network: "tcp", port: 99 }, env);
  assert.deepEqual([main.network, main.minPort, main.maxPort], ["tcp", 99, 99]);
  assert.deepEqual([broker.network, broker.minPort, broker.maxPort], ["tcp", 7, 0]);
});

test("go-plugin's text for a port that is no number", () => {
  assert.throws(() => listenOptions({}, { PLUGIN_MIN_PORT: "x" }), {
    code: "ERR_SOCKET_PORT",
    message: /^couldn't get value from PLUGIN_MIN_PORT: /,
  });
});
