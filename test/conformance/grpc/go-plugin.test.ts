// go-plugin's own gRPC tests, by their names (grpc_client_test.go, client_test.go, plugin_test.go at v1.8.0), on a host
// and a plugin in test mode in this process, or on a plugin of its own process where the test needs one to die.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { Client as GrpcJsClient, type ServerUnaryCall, type sendUnaryData } from "@grpc/grpc-js";
import {
  ServerReflectionRequest,
  ServerReflectionResponse,
} from "../../../src/grpc/gen/grpc/reflection/v1/reflection.js";
import {
  Client,
  type ClientConfig,
  type GRPCBroker,
  type GrpcConnection,
  grpcPlugin,
  nullLogger,
  type ServeConfig,
  serve,
} from "../../../src/index.js";
import type { TestReattachConfig } from "../../../src/plugin/serve-config.js";
import { generateCertificate } from "../../../src/tls/certificate.js";
import { pluginCommand } from "../../interop/build-plugins.js";
import { AddHelperClient, AddHelperService } from "../../interop/gen/counter.js";
import { StreamClient, StreamService } from "../../interop/gen/stream.js";
import { call, kv } from "../../interop/grpc-support.js";
import { addHelper } from "../../interop/plugins/services/counter-grpc.js";
import { Collector, handshakeConfig, until } from "../../interop/support.js";

interface Face {
  conn: GrpcConnection;
  broker: GRPCBroker;
}

/** A service with a call, streams, and one that calls back: what go-plugin's testInterface does. */
const definition = grpcPlugin<Face, object>({
  client: ({ conn, broker }) => ({ conn, broker }),
  server({ server, broker }) {
    server.addService(AddHelperService, addHelper("plugin", broker, 0n));
    server.addService(StreamService, {
      source(streamed: { request: { bytes: bigint }; write(chunk: object): void; end(): void }) {
        for (let i = 0; i < streamed.request.bytes; i++) streamed.write({ data: Buffer.from([i]) });
        streamed.end();
      },
      sink: (_: unknown, answer: sendUnaryData<object>) => answer(null, {}),
      mirror: (streamed: { end(): void }) => streamed.end(),
    });
  },
});

interface Pair {
  client: Client<{ test: typeof definition }>;
  face: Face;
  /** Ends the plugin as `server.Stop()` does. */
  stop(): Promise<void>;
}

/** A host and a plugin in this process (go-plugin: TestPluginGRPCConn). */
async function pair(
  multiplex: boolean,
  serving: Partial<ServeConfig> = {},
  hosting: Partial<ClientConfig> = {},
): Promise<Pair> {
  const end = new AbortController();
  const before = process.env.PLUGIN_MULTIPLEX_GRPC;
  if (multiplex) process.env.PLUGIN_MULTIPLEX_GRPC = "true";
  let served: Promise<void> | undefined;
  const reattach = await new Promise<TestReattachConfig>((resolve, reject) => {
    served = serve({
      handshakeConfig,
      plugins: { test: definition.implement({}) },
      logger: nullLogger,
      signal: end.signal,
      test: { onReattachConfig: resolve },
      grpcServer: { gracePeriod: 0 },
      ...serving,
    });
    served.catch(reject);
  }).finally(() => {
    if (before === undefined) delete process.env.PLUGIN_MULTIPLEX_GRPC;
    else process.env.PLUGIN_MULTIPLEX_GRPC = before;
  });
  assert.equal(reattach.protocol, "grpc");
  // A host that reattaches cannot multiplex, so for that the plugin is announced as by a process of its own.
  const client: Client<{ test: typeof definition }> = multiplex
    ? new Client({ ...announced(reattach), ...(hosting as object), grpcBrokerMultiplex: true })
    : new Client({
        handshakeConfig,
        plugins: { test: definition },
        logger: nullLogger,
        reattach,
        ...(hosting as object),
      });
  const stop = async (): Promise<void> => {
    end.abort();
    await served;
  };
  after(async () => {
    await client.kill();
    await stop();
  });
  return { client, face: await client.dispense("test"), stop };
}

function announced({ address }: TestReattachConfig) {
  const line = `1|1|${address.network}|${address.address}|grpc||true`;
  return {
    handshakeConfig,
    plugins: { test: definition },
    logger: nullLogger,
    allowedProtocols: ["grpc"] as const,
    cmd: ["/bin/sh", "-c", `echo '${line}'; exec sleep 60`] as const,
  };
}

async function served(name: string, config: Partial<ClientConfig<{ kv: typeof kv }>> = {}) {
  const client = new Client({
    handshakeConfig,
    plugins: { kv },
    logger: nullLogger,
    cmd: await pluginCommand(name),
    allowedProtocols: ["grpc"],
    ...config,
  });
  after(() => client.kill());
  return client;
}

for (const [name, multiplex] of [
  ["default", false],
  ["mux", true],
] as const) {
  test(`TestGRPC_App/${name}`, async () => {
    const { face } = await pair(multiplex);
    const helper = face.conn.client(AddHelperClient);
    assert.deepEqual(await call(helper, helper.sum as never, { a: 21n, b: 21n }), { r: 42n });
    await using own = await face.broker.serve((server) =>
      server.addService(AddHelperService, addHelper("host", face.broker, 0n)),
    );
    assert.deepEqual(await call(helper, helper.nest as never, { depth: 3, id: own.id }), {
      names: ["plugin 3", "host 2", "plugin 1", "host 0"],
    });
  });

  test(`TestGRPC_Ping/${name}`, async () => {
    const { client, stop } = await pair(multiplex);
    await client.ping({ timeout: 10_000 });
    await client.ping({ timeout: 10_000 });
    await stop();
    await assert.rejects(client.ping({ timeout: 10_000 }), { code: "ERR_GRPC_STATUS" });
  });

  test(`TestGRPCC_Stream/${name}`, async () => {
    const { face } = await pair(multiplex);
    const stream = face.conn.client(StreamClient);
    const got: number[] = [];
    for await (const { data } of stream.source({ bytes: 6n, chunk: 1, code: 0, text: "", stay: false })) {
      got.push(21 + data[0]);
    }
    assert.deepEqual(got, [21, 22, 23, 24, 25, 26]);
  });

  test(`TestGRPC_Reflection/${name}`, async () => {
    const { face } = await pair(multiplex);
    const ask = (version: string, request: ServerReflectionRequest["messageRequest"]) =>
      new Promise<ServerReflectionResponse["messageResponse"]>((resolve, reject) => {
        const stream = face.conn.client(GrpcJsClient).makeBidiStreamRequest(
          `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
          (message: ServerReflectionRequest) => Buffer.from(ServerReflectionRequest.encode(message).finish()),
          (bytes) => ServerReflectionResponse.decode(bytes),
        );
        stream.on("data", (answer: ServerReflectionResponse) => resolve(answer.messageResponse));
        stream.on("error", reject);
        stream.write({ host: "", messageRequest: request });
        stream.end();
      });
    for (const version of ["v1", "v1alpha"]) {
      const listed = await ask(version, { $case: "listServices", value: "" });
      assert.ok(listed?.$case === "listServicesResponse");
      assert.deepEqual(
        listed.value.service.map((service) => service.name),
        [
          "goplug.fixtures.AddHelper",
          "goplug.fixtures.Stream",
          "grpc.health.v1.Health",
          "grpc.reflection.v1.ServerReflection",
          "grpc.reflection.v1alpha.ServerReflection",
          "plugin.GRPCBroker",
          "plugin.GRPCController",
          "plugin.GRPCStdio",
        ],
      );
      const health = await ask(version, { $case: "fileContainingSymbol", value: "grpc.health.v1.Health" });
      assert.ok(health?.$case === "fileDescriptorResponse");
      const text = Buffer.concat(health.value.fileDescriptorProto).toString("latin1");
      assert.ok(text.includes("Check") && text.includes("Watch"));
      const unknown = await ask(version, { $case: "fileContainingSymbol", value: "no.Such" });
      assert.ok(unknown?.$case === "errorResponse" && unknown.value.errorCode === 5);
    }
  });
}

test("TestGRPCConn_BidirectionalPing", async () => {
  const { face } = await pair(false);
  const seen: bigint[] = [];
  await using pong = await face.broker.serve((server) =>
    server.addService(AddHelperService, {
      sum({ request }: ServerUnaryCall<{ a: bigint; b: bigint }, object>, answer: sendUnaryData<object>) {
        seen.push(request.a);
        answer(null, { r: 7n });
      },
      nest: (_: unknown, answer: sendUnaryData<object>) => answer(null, { names: ["pong"] }),
    }),
  );
  const helper = face.conn.client(AddHelperClient);
  const reply = await call(helper, helper.nest as never, { depth: 1, id: pong.id });
  assert.deepEqual(reply, { names: ["plugin 1", "pong"] });
  assert.deepEqual(seen, []);
});

test("TestClient_grpc", async () => {
  const client = await served("kv-grpc");
  const { es } = await client.dispense("kv");
  assert.equal(client.protocol, "grpc");
  await es.put({ key: "k", value: Buffer.from("v") });
  await client.kill();
  assert.deepEqual(client.exitStatus, { code: 0, signal: null });
});

test("TestClient_grpcNotAllowed", async () => {
  const client = await served("kv-grpc", { allowedProtocols: ["netrpc"] });
  await assert.rejects(client.start(), /unsupported plugin protocol "grpc"/);
});

test("TestClient_grpcSyncStdio", async () => {
  const [syncStdout, syncStderr] = [new Collector(), new Collector()];
  const client = await served("kv-grpc", { syncStdout, syncStderr });
  const { tools } = await client.dispense("kv");
  await tools.print({ data: Buffer.from("hello\nworld!") });
  await tools.printErr({ data: Buffer.from("and some error\n messages!") });
  await until("both", () => syncStdout.size === 12 && syncStderr.size === 25);
  assert.equal(syncStdout.bytes.toString(), "hello\nworld!");
  assert.equal(syncStderr.bytes.toString(), "and some error\n messages!");
});

test("TestClient_grpc_servercrash", async () => {
  const client = await served("kv-grpc");
  const { tools, signal } = await client.dispense("kv");
  await assert.rejects(tools.crash({ text: "at the worst moment" }), { code: 14 });
  await until("the signal", () => signal.aborted);
  assert.equal(client.exited, true);
});

test("TestClient_reattachGRPC", async () => {
  const client = await served("kv-grpc");
  const first = await client.dispense("kv");
  await first.es.put({ key: "k", value: Buffer.from("v") });
  const reattach = await client.reattachConfig();
  assert.equal(reattach?.protocol, "grpc");
  const second = new Client({ handshakeConfig, plugins: { kv }, logger: nullLogger, reattach });
  after(() => second.kill());
  const { es } = await second.dispense("kv");
  assert.equal(Buffer.from((await es.get({ key: "k" })).value).toString(), "v");
  await second.kill();
  await until("the end", () => client.exited);
});

test("TestClient_TLS_grpc", async () => {
  const [own, theirs] = [await generateCertificate(), await generateCertificate()];
  const tls = { cert: own.certPem, key: own.keyPem, ca: theirs.certPem, requestCert: true };
  const tlsProvider = () => ({ ...tls, rejectUnauthorized: true });
  const tlsConfig = { cert: theirs.certPem, key: theirs.keyPem, ca: own.certPem, requestCert: true };
  const { client, face } = await pair(false, { tlsProvider }, { tlsConfig });
  await client.ping({ timeout: 10_000 });
  await using helper = await face.broker.serve((server) =>
    server.addService(AddHelperService, addHelper("host", face.broker, 0n)),
  );
  const plugin = face.conn.client(AddHelperClient);
  assert.deepEqual(await call(plugin, plugin.nest as never, { depth: 1, id: helper.id }), {
    names: ["plugin 1", "host 0"],
  });
  const { reattach } = { reattach: await client.reattachConfig() };
  const stranger = new Client({
    handshakeConfig,
    plugins: { test: definition },
    logger: nullLogger,
    reattach: reattach!,
    tlsConfig: { ...tlsConfig, cert: own.certPem, key: own.keyPem },
  });
  after(() => stranger.kill());
  await assert.rejects(stranger.ping({ timeout: 10_000 }));
});

test("TestClient_Multiplexing_unsupportedByPlugin", async () => {
  const dir = await mkdtemp(join(tmpdir(), "goplug-"));
  after(() => rm(dir, { recursive: true }));
  const cases = [
    [`1|1|unix|${dir}/s|grpc|`, /plugin does not support the feature; for Go plugins/],
    [`1|1|unix|${dir}/s|grpc||false`, /plugin does not support the feature/],
    [`1|1|unix|${dir}/s|grpc||perhaps`, /error parsing "perhaps" as a boolean/],
  ] as const;
  for (const [line, message] of cases) {
    const client = new Client({
      handshakeConfig,
      plugins: { kv },
      logger: nullLogger,
      cmd: ["/bin/sh", "-c", `echo '${line}'; exec sleep 60`],
      allowedProtocols: ["grpc"],
      grpcBrokerMultiplex: true,
    });
    await assert.rejects(client.start(), { code: "ERR_HANDSHAKE_MULTIPLEX", message });
    await client.kill();
  }
});

test("reattach with multiplexing is refused", () => {
  const reattach = { address: { network: "unix", address: "/nowhere" }, pid: 1 } as const;
  assert.throws(
    () => new Client({ handshakeConfig, plugins: { kv }, reattach, grpcBrokerMultiplex: true }),
    /gRPC broker multiplexing is not supported with reattach config/,
  );
});
