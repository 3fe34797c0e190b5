// What plain JavaScript may get wrong in calls and implementations: each is refused where it is done, by name.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as protobuf from "@bufbuild/protobuf";
import {
  Client,
  type GrpcCallError,
  gob,
  grpcPlugin,
  type Logger,
  netRpcPlugin,
  nullLogger,
  protobufPlugin,
  serve,
} from "../../src/index.js";
import { grpcPluginPair, pluginPair } from "../../src/testing/index.js";
import { KV } from "../interop/gen/es/kv_pb.js";

const greeter = netRpcPlugin({ Greet: [gob.any, gob.string] });
const kv = protobufPlugin(KV, protobuf);
const careless = <T>(value: T): never => value as never;

describe("a signal that is none, and options that are none", () => {
  const given: [what: string, options: never, message: string][] = [
    ["an object", careless({ signal: {} }), "signal must be an AbortSignal, not an object"],
    ["null", careless({ signal: null }), "signal must be an AbortSignal, not null"],
    [
      "a controller",
      careless({ signal: new AbortController() }),
      "signal must be an AbortSignal, not an object",
    ],
    ["a number", careless(5), "options must be an object, not 5"],
  ];
  for (const [what, options, message] of given) {
    const refused = { name: "OptionError", message };

    test(`${what}, in net/rpc`, async () => {
      await using pair = await pluginPair({ greeter: greeter.implement({ Greet: () => "Hello!" }) });
      const plugin = await pair.client.dispense("greeter");
      await assert.rejects(plugin.Greet(null, options), refused);
      await assert.rejects(pair.client.ping(options), refused);
      assert.throws(() => plugin.broker.offer(() => {}, options), refused);
      // Nothing of a refused call stays.
      assert.equal(await plugin.Greet(null, { signal: new AbortController().signal }), "Hello!");
    });

    test(`${what}, in gRPC`, async () => {
      await using pair = await grpcPluginPair({ kv: kv.implement({ get: () => ({}) }) });
      const plugin = await pair.client.dispense("kv");
      await assert.rejects(plugin.get({}, options), refused);
      await plugin.get({}, { signal: new AbortController().signal });
    });

    test(`${what}, in a host`, async () => {
      const handshakeConfig = { protocolVersion: 1, magicCookieKey: "K", magicCookieValue: "V" };
      const host = { handshakeConfig, plugins: { greeter }, cmd: ["./none"], logger: nullLogger } as const;
      const client = new Client(host);
      for (const use of [
        () => client.start(options),
        () => client.client(options),
        () => client.dispense("greeter", options),
        () => client.ping(options),
      ]) {
        await assert.rejects(use, refused);
      }
      await client.kill();
    });
  }
});

describe("an implementation that is none is refused where it is attached", () => {
  const two = { Greet: [gob.any, gob.string], Leave: [gob.any, gob.string] } as const;
  const optional = netRpcPlugin(two, { optional: true });
  const partly = netRpcPlugin(two, { optional: ["Leave"] });
  for (const [what, attach, message] of [
    [
      "nothing",
      () => greeter.implement(careless(undefined)),
      /^implementation must be an object with the methods/,
    ],
    ["a list", () => greeter.implement(careless([])), /not an empty list$/],
    [
      "a promise",
      () => greeter.implement(careless(Promise.resolve({ Greet: () => "" }))),
      /^implementation is a Promise: await it/,
    ],
    [
      "a method in small letters",
      () => greeter.implement(careless({ greet() {} })),
      "implementation has no method Greet; it has greet: did you mean Greet?",
    ],
    [
      "a misspelt method of a class",
      () =>
        greeter.implement(
          careless(
            new (class {
              Gret() {}
            })(),
          ),
        ),
      /it has Gret: did you mean Greet\?$/,
    ],
    ["no method", () => greeter.implement(careless({})), "implementation has no method Greet"],
    [
      "a text for a method",
      () => greeter.implement(careless({ Greet: "x" })),
      'implementation.Greet must be a function, not "x"',
    ],
    [
      "a misspelt optional method",
      () => optional.implement(careless({ leave() {} })),
      /did you mean Leave\?$/,
    ],
    ["only what is optional", () => partly.implement(careless({ Leave() {} })), /no method Greet$/],
    ["gRPC: nothing", () => kv.implement(careless(undefined)), /^implementation must be an object/],
    ["gRPC: a Go name", () => kv.implement(careless({ Get() {} })), /it has Get: did you mean get\?$/],
    ["gRPC: a text", () => kv.implement(careless({ get: "x" })), /^implementation\.get must be a function/],
    ["gRPC: no faces", () => grpcPlugin(careless({})), "faces must have a client, a server, or both"],
    [
      "gRPC: no service",
      () => protobufPlugin(careless(undefined), protobuf),
      /^service must be a service that/,
    ],
    [
      "gRPC: another object",
      () => protobufPlugin(careless({}), careless({})),
      /^service must be a service that/,
    ],
    [
      "gRPC: no runtime",
      () => protobufPlugin(KV, careless(undefined)),
      /^runtime must be the module @bufbuild/,
    ],
    [
      "gRPC: another runtime",
      () => protobufPlugin(KV, careless({})),
      /^runtime must be the module @bufbuild/,
    ],
  ] as const) {
    test(what, () => {
      assert.throws(attach, { name: "OptionError", message });
    });
  }

  test("what may be missing, and helpers beside the methods, are no fault", () => {
    optional.implement({});
    partly.implement({ Greet: () => "" });
    greeter.implement(careless({ Greet: () => "", gree() {}, greeting: "x" }));
    kv.implement({});
  });
});

test("an implementation that cannot be made is told to the plugin's author, too", async () => {
  const errors: unknown[] = [];
  const logger: Logger = { ...nullLogger, error: (message, fields) => errors.push([message, fields]) };
  const plugins = {
    wrong: greeter.implement(careless(async () => ({ greet() {} }))),
    throwing: greeter.implement(() => {
      throw new Error("no licence");
    }),
    late: greeter.implement(async () => ({ Greet: () => "Hello!" })),
  };
  await using pair = await pluginPair(plugins, { logger });
  await assert.rejects(pair.client.dispense("wrong"), /has no method Greet; it has greet/);
  await assert.rejects(pair.client.dispense("throwing"), /no licence/);
  assert.deepEqual(
    errors.map((line) => {
      const [message, { plugin, error }] = line as [string, { plugin: string; error: Error }];
      return [message, plugin, error.message];
    }),
    [
      [
        "plugin dispense error",
        "wrong",
        "implementation has no method Greet; it has greet: did you mean Greet?",
      ],
      ["plugin dispense error", "throwing", "no licence"],
    ],
  );
  assert.equal(await (await pair.client.dispense("late")).Greet(null), "Hello!");
});

describe("an answer of a handler that is no message", () => {
  for (const [what, get, told] of [
    [
      "a forgotten return",
      () => undefined,
      "the handler of /proto.KV/Get gave undefined where it must give a proto.GetResponse",
    ],
    ["a text", () => "x", /gave "x" where it must give/],
    ["a number for bytes", () => ({ value: 42 }), /^Error serializing response: .*GetResponse\.value/],
  ] as const) {
    test(what, async () => {
      const errors: unknown[] = [];
      const logger: Logger = {
        ...nullLogger,
        error: (message, fields) => errors.push([message, fields?.method]),
      };
      await using pair = await grpcPluginPair({ kv: kv.implement({ get: careless(get) }) }, { logger });
      const plugin = await pair.client.dispense("kv");
      const failed = (await plugin.get({}).catch((error: unknown) => error)) as GrpcCallError;
      assert.equal(failed.code, 13);
      assert.match(failed.details, typeof told === "string" ? new RegExp(`^${told}$`) : told);
      assert.deepEqual(errors, [["grpc: an answer cannot be sent", "/proto.KV/Get"]]);
    });
  }

  test("is nothing of a method whose answer has no fields", async () => {
    await using pair = await grpcPluginPair({ kv: kv.implement({ put: () => {} }) });
    await (await pair.client.dispense("kv")).put({ key: "k" });
  });
});

test("an object that a handler throws is shown", async () => {
  const thrown = { a: 1 };
  const fail = (): never => {
    throw thrown;
  };
  await using net = await pluginPair({ greeter: greeter.implement({ Greet: fail }) });
  await assert.rejects((await net.client.dispense("greeter")).Greet(null), { message: "{ a: 1 }" });
  await using grpc = await grpcPluginPair({ kv: kv.implement({ get: fail }) });
  await assert.rejects((await grpc.client.dispense("kv")).get({}), { code: 2, details: "{ a: 1 }" });
});

describe("what is wrong with an option is said", () => {
  const handshakeConfig = { protocolVersion: 1, magicCookieKey: "K", magicCookieValue: "V" };
  const host = { handshakeConfig, plugins: { greeter }, cmd: ["./none"], logger: nullLogger };
  const list = "cmd must be a list of texts that begins with the executable";
  for (const [what, changed, message] of [
    ["an empty command", { cmd: [] }, `${list}, not an empty list`],
    ["a command without its executable", { cmd: [""] }, `${list}, but cmd[0] is ""`],
    ["a number in a command", { cmd: ["x", 1] }, `${list}, but cmd[1] is 1`],
    ["a NUL byte", { cmd: ["x\0y"] }, /^cmd\[0\] must be a text without a NUL byte/],
    [
      "a NUL byte in an argument",
      { cmd: { path: "x", args: ["a", "\0"] } },
      /^cmd\.args\[1\] .* without a NUL byte/,
    ],
    [
      "a number among arguments",
      { cmd: { path: "x", args: [1] } },
      /^cmd\.args must .*, but cmd\.args\[0\] is 1$/,
    ],
    ["no protocol", { allowedProtocols: [] }, /, not an empty list$/],
    ["null for a plugin", { plugins: { a: null } }, /^plugins\.a must be a plugin type, .*, not null$/],
    ...["A=B", "A\0", ""].map((magicCookieKey) => [
      `the cookie's name ${JSON.stringify(magicCookieKey)}`,
      { handshakeConfig: { ...handshakeConfig, magicCookieKey } },
      /^handshakeConfig\.magicCookieKey must be/,
    ]),
  ] as [string, object, string | RegExp][]) {
    test(what, async () => {
      const expected = { name: "OptionError", message };
      assert.throws(() => new Client(careless({ ...host, ...changed })), expected);
      const served = { plugins: { greeter: greeter.implement({ Greet: () => "" }) }, handshakeConfig };
      const isServed = "handshakeConfig" in changed && !what.endsWith('""');
      if (isServed) await assert.rejects(serve(careless({ ...served, ...changed })), expected);
    });
  }
});
