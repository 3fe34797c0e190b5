// What plain JavaScript may give to the public functions: each refuses what it cannot use with an error that names it.
import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { describe, test } from "node:test";
import * as goplug from "../../src/index.js";
import { caller, RpcClient, RpcServer } from "../../src/netrpc/index.js";
import * as testing from "../../src/testing/index.js";
import { dial, Session } from "../../src/yamux/index.js";

const { gob } = goplug;

// Of no type that any of them takes; and an object whose known fields are of the wrong type.
const junk: [what: string, value: never][] = [
  ["null", null],
  ["a number", 5],
  ["a text", "x"],
  ["true", true],
  ["a symbol", Symbol("s")],
].map(([what, value]) => [what as string, value as never]);

const wire = () => new PassThrough();
const greet = { Greet: [gob.any, gob.string] } as const;
const greeter = goplug.netRpcPlugin(greet);
const plugins = { greeter: greeter.implement({ Greet: () => "Hello!" }) };

const entries: Record<string, (given: never) => unknown> = {
  Client: (given) => new goplug.Client(given),
  serve: (given) => goplug.serve(given),
  "serveConnection's connection": (given) => goplug.serveConnection(given, { plugins }),
  "serveConnection's options": (given) => goplug.serveConnection(wire(), given),
  serveMux: (given) => goplug.serveMux(given, ["name"]),
  netRpcPlugin: (given) => goplug.netRpcPlugin(given),
  "netRpcPlugin's faces": (given) => goplug.netRpcPlugin(greet, given),
  "a definition's implemented": (given) => greeter.implemented(given),
  grpcPlugin: (given) => goplug.grpcPlugin(given),
  "discover's folder": (given) => goplug.discover("*", given),
  checkFile: (given) => goplug.checkFile(process.execPath, given),
  consoleLogger: (given) => goplug.consoleLogger(given),
  jsonLogger: (given) => goplug.jsonLogger(given),
  collectBytes: (given) => goplug.collectBytes(given),
  joinStreams: (given) => goplug.joinStreams(given, given),
  remoteReader: (given) => goplug.remoteReader(given),
  sendBytes: (given) => goplug.sendBytes(given, "x"),
  serveReader: (given) => goplug.serveReader(given, "x"),
  "MuxBroker's session": (given) => new goplug.MuxBroker(given),
  "MuxBroker's options": (given) => new goplug.MuxBroker(Session.client(wire()), given),
  "Session's connection": (given) => new Session(given, { role: "client" }),
  "Session's options": (given) => new Session(wire(), given),
  dial: (given) => dial(given),
  RpcServer: (given) => new RpcServer(given),
  "RpcServer's methods": (given) => new RpcServer().register("S", given, {} as never),
  "RpcServer's implementation": (given) => new RpcServer().register("S", greet, given),
  "RpcServer's register options": (given) => new RpcServer().register("S", greet, { Greet: () => "" }, given),
  "RpcServer's connection": (given) => new RpcServer().serve(given),
  "RpcServer's serve options": (given) => new RpcServer().serve(wire(), given),
  "RpcClient's connection": (given) => new RpcClient(given),
  "RpcClient's options": (given) => new RpcClient(wire(), given),
  "caller's client": (given) => caller(given, "S", greet),
  "caller's methods": (given) => caller(new RpcClient(wire()), "S", given),
  "call's argument schema": (given) => new RpcClient(wire()).call("S.M", given, 1 as never, gob.int),
  rpcPair: (given) => testing.rpcPair(given),
  "pluginPair's plugins": (given) => testing.pluginPair(given),
  "pluginPair's options": (given) => testing.pluginPair(plugins, given),
  "grpcPluginPair's plugins": (given) => testing.grpcPluginPair(given),
  "grpcPluginPair's options": (given) => testing.grpcPluginPair(plugins, given),
  grpcPair: (given) => testing.grpcPair(given),
  "gob.struct": (given) => gob.struct(given),
  "gob.slice": (given) => gob.slice(given),
  "gob.array": (given) => gob.array(given, 3),
  "gob.map": (given) => gob.map(gob.string, given),
  "gob.pointer": (given) => gob.pointer(given),
  "gob.value": (given) => gob.value(given, 1 as never),
  "gob.encode": (given) => gob.encode(given, 1 as never),
  "gob.decode": (given) => gob.decode(given, Buffer.from("03040002", "hex")),
  "gob.registry.register": (given) => new gob.Registry().register(given),
};

/** Those that take texts. */
const takesText = new Set(["discover's folder"]);

describe("what no function can use is refused with goplug's own error", () => {
  for (const [name, use] of Object.entries(entries)) {
    test(name, async () => {
      for (const [what, value] of junk) {
        if (what === "a text" && takesText.has(name)) continue;
        await assert.rejects(
          async () => void (await use(value)),
          (error: unknown) => {
            assert(error instanceof goplug.GoplugError, `${what}: ${error}`);
            assert.match(error.code, /^ERR_(OPTION|GOB_SCHEMA)$/, what);
            return true;
          },
        );
      }
    });
  }
});

describe("a plugin's configuration is checked before anything is printed", () => {
  const handshakeConfig = { protocolVersion: 1, magicCookieKey: "KEY", magicCookieValue: "value" };
  const given = { handshakeConfig, plugins };
  const table: [what: string, config: object, option: string, message: RegExp][] = [
    [
      "a flattened handshake",
      { ...handshakeConfig, plugins },
      "handshakeConfig",
      /belong into it, as one object/,
    ],
    ["no handshake", { plugins }, "handshakeConfig", /must be an object of magicCookieKey/],
    [
      "a version as text",
      { ...given, handshakeConfig: { ...handshakeConfig, protocolVersion: "1" } },
      "handshakeConfig.protocolVersion",
      /whole number/,
    ],
    [
      "plugins as a list",
      { ...given, plugins: [plugins.greeter] },
      "plugins",
      /plugin types by their names, not an array/,
    ],
    [
      "a plugin that is none",
      { ...given, plugins: { greeter: { Greet() {} } } },
      "plugins.greeter",
      /netRpcPlugin\(\)/,
    ],
    [
      "a definition without an implementation",
      { ...given, plugins: { greeter } },
      "plugins.greeter",
      /serve what its implement\(\) returns/,
    ],
    [
      "versionedPlugins as one set",
      { handshakeConfig, versionedPlugins: plugins },
      "a key of versionedPlugins",
      /a version/,
    ],
    [
      "versionedPlugins as a list of lists",
      { handshakeConfig, versionedPlugins: { 1: [plugins.greeter] } },
      "versionedPlugins[1]",
      /not an array/,
    ],
    [
      "a TLS configuration for its provider",
      { ...given, tlsProvider: { key: "x" } },
      "tlsProvider",
      /must be a function/,
    ],
    [
      "Go's constructor of servers",
      { ...given, grpcServer: () => {} },
      "grpcServer",
      /must be true, or an object/,
    ],
    [
      "a grace as text",
      { ...given, grpcServer: { gracePeriod: "5s" } },
      "grpcServer.gracePeriod",
      /milliseconds/,
    ],
    ["half a logger", { ...given, logger: { info() {} } }, "logger", /without trace, debug, warn, error/],
    ["another network", { ...given, network: "udp" }, "network", /"unix" or "tcp"/],
    ["a port beyond the last", { ...given, port: 65_536 }, "port", /from 0 to 65535/],
    ["a switch that is a text", { ...given, exit: "no" }, "exit", /true or false/],
    ["a controller for its signal", { ...given, signal: new AbortController() }, "signal", /an AbortSignal/],
    ["a callback that is none", { ...given, onServing: {} }, "onServing", /a function/],
    ["test mode as a switch", { ...given, test: true }, "test", /onReattachConfig and syncStdio/],
    ["bytes as text", { ...given, maxUnansweredBytes: "64M" }, "maxUnansweredBytes", /whole number/],
    ["another transport", { ...given, grpcTransport: "http2" }, "grpcTransport", /"goplug" or "grpc-js"/],
    [
      "a name in Go's letters",
      { ...given, TLSProvider: () => ({}) },
      "TLSProvider",
      /it is called tlsProvider/,
    ],
  ];
  for (const [what, config, option, message] of table) {
    test(what, async () => {
      await assert.rejects(goplug.serve(config as never), (error: unknown) => {
        assert(error instanceof goplug.OptionError);
        assert.equal(error.option, option);
        assert.match(error.message, message);
        return true;
      });
    });
  }
});
