// Which of a plugin's sets is served to a host, and over which protocol.
import assert from "node:assert/strict";
import { test } from "node:test";
import { gob, grpcPlugin, netRpcPlugin } from "../../../src/index.js";
import { negotiate } from "../../../src/plugin/negotiate.js";

const handshakeConfig = { protocolVersion: 2, magicCookieKey: "K", magicCookieValue: "V" };
const echo = netRpcPlugin({ Echo: [gob.string, gob.string] });
const overNetRpc = { echo: echo.implement({ Echo: (text) => text }) };
const overGrpc = { echo: grpcPlugin({ client: () => ({}), server: () => {} }).implement({}) };
const both = { handshakeConfig, plugins: overNetRpc, versionedPlugins: { 3: overGrpc } };

function chosen(config: Parameters<typeof negotiate>[0], versions?: string) {
  const lines: string[] = [];
  const env = versions === undefined ? {} : { PLUGIN_PROTOCOL_VERSIONS: versions };
  const { version, protocol, plugins } = negotiate(config, env, (line) => lines.push(line));
  return { version, protocol, plugins, lines };
}

test("the highest version that the host lists, with its plugins and their protocol", () => {
  assert.deepEqual(chosen(both, "2,3"), { version: 3, protocol: "grpc", plugins: overGrpc, lines: [] });
  assert.deepEqual(chosen(both, "2"), { version: 2, protocol: "netrpc", plugins: overNetRpc, lines: [] });
});

test("a host that lists nothing gets the lowest", () => {
  assert.equal(chosen(both).version, 2);
  assert.equal(chosen(both, "").version, 2);
});

test("what is no version is told in go-plugin's words, and the others hold", () => {
  const { version, lines } = chosen(both, "x,3");
  assert.equal(version, 3);
  assert.deepEqual(lines, ['server sent invalid plugin version "x"\n']);
});

test("nothing to serve is an error", () => {
  const nothing = { handshakeConfig: { ...handshakeConfig, protocolVersion: 0 } };
  assert.throws(() => chosen(nothing), { code: "ERR_SERVE_CONFIG" });
});
