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
  const path = { network: "unix", directory: "/d", group: "g" };
  assert.deepEqual(listenOptions({}, env, "linux"), { main: path, broker: path });
  const ports = { network: "tcp", minPort: 7, maxPort: 0 };
  assert.deepEqual(listenOptions({}, env, "win32"), { main: ports, broker: ports });
  assert.deepEqual(listenOptions({ network: "tcp" }, env, "linux"), { main: ports, broker: ports });
});

test("a port of the plugin's own is not its broker's", () => {
  const { main, broker } = listenOptions({ network: "tcp", port: 99 }, env);
  assert.deepEqual([main.network, main.minPort, main.maxPort], ["tcp", 99, 99]);
  assert.deepEqual([broker.network, broker.minPort, broker.maxPort], ["tcp", 7, 0]);
});

test("go-plugin's text for a port that is no number, where ports are used", () => {
  const noNumber = { PLUGIN_MIN_PORT: "x" };
  assert.equal(listenOptions({}, noNumber, "linux").main.network, "unix");
  assert.throws(() => listenOptions({ network: "tcp" }, noNumber), {
    code: "ERR_SOCKET_PORT",
    message: /^couldn't get value from PLUGIN_MIN_PORT: /,
  });
});
