import assert from "node:assert/strict";
import { test } from "node:test";
import { pluginEnvironment } from "../../../src/protocol/environment.js";
import { parseBool } from "../../../src/protocol/parse-bool.js";

const handshakeConfig = { protocolVersion: 1, magicCookieKey: "BASIC_PLUGIN", magicCookieValue: "hello" };

test("pluginEnvironment sets what go-plugin sets by default and nothing else", () => {
  assert.deepEqual(pluginEnvironment({ handshakeConfig, versions: [3, 2] }), {
    BASIC_PLUGIN: "hello",
    PLUGIN_MIN_PORT: "10000",
    PLUGIN_MAX_PORT: "25000",
    PLUGIN_PROTOCOL_VERSIONS: "3,2",
  });
});

test("pluginEnvironment adds what is asked for", () => {
  const environment = pluginEnvironment({
    handshakeConfig,
    versions: [1],
    minPort: 0,
    maxPort: 0,
    clientCert: "PEM",
    multiplexGrpc: true,
    unixSocketDir: "/d",
    unixSocketGroup: "g",
  });
  assert.deepEqual(environment, {
    BASIC_PLUGIN: "hello",
    PLUGIN_MIN_PORT: "0",
    PLUGIN_MAX_PORT: "0",
    PLUGIN_PROTOCOL_VERSIONS: "1",
    PLUGIN_CLIENT_CERT: "PEM",
    PLUGIN_MULTIPLEX_GRPC: "true",
    PLUGIN_UNIX_SOCKET_DIR: "/d",
    PLUGIN_UNIX_SOCKET_GROUP: "g",
  });
});

test("parseBool takes strconv.ParseBool's spellings and no others", () => {
  for (const text of ["1", "t", "T", "TRUE", "true", "True"]) assert.equal(parseBool(text), true);
  for (const text of ["0", "f", "F", "FALSE", "false", "False"]) assert.equal(parseBool(text), false);
  for (const text of ["", "yes", "tRUE", " true", "2"]) assert.equal(parseBool(text), undefined);
});

test("multiplexing is asked for by true alone", () => {
  const settings = { handshakeConfig: { magicCookieKey: "K", magicCookieValue: "V" }, versions: [1] };
  assert.equal("PLUGIN_MULTIPLEX_GRPC" in pluginEnvironment({ ...settings, multiplexGrpc: false }), false);
  assert.equal(pluginEnvironment({ ...settings, multiplexGrpc: true }).PLUGIN_MULTIPLEX_GRPC, "true");
});
