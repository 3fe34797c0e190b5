// A server behind an injector, and goplug's connection to it: protobuf-es's clients, limits, TLS in both roles.
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { after, test } from "node:test";
import type { ConnectionOptions } from "node:tls";
import * as protobuf from "@bufbuild/protobuf";
import {
  ResponderBuilder,
  ServerInterceptingCall,
  type ServerInterceptor,
  type ServerOptions,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { connectGrpc } from "../../../src/grpc/connection.js";
import { protobufService } from "../../../src/grpc/protobuf-service.js";
import { Injector, makeServer, stopServer } from "../../../src/grpc/server.js";
import { clientRole, serverRole } from "../../../src/grpc/tls-roles.js";
import { nullLogger } from "../../../src/hclog/logger.js";
import { generateCertificate } from "../../../src/tls/certificate.js";
import { hostTlsOptions } from "../../../src/tls/host-options.js";
import { type PluginTls, pluginTls } from "../../../src/tls/plugin-options.js";
import { ChunkSchema, SinkReplySchema, Stream } from "../../interop/gen/es/stream_pb.js";
import { listenPath } from "../../support.js";
import { issueCertificate } from "../tls/issue.js";

let sockets = 0;

interface Streamed {
  request: { bytes: bigint };
  write(chunk: object): boolean;
  end(): void;
  on(event: string, listener: (chunk: { data: Uint8Array }) => void): void;
}

const implementation = {
  source(call: Streamed) {
    for (let i = 0; i < call.request.bytes; i++) {
      call.write(protobuf.create(ChunkSchema, { data: Uint8Array.of(i) }));
    }
    call.end();
  },
  sink(call: Streamed, answer: (error: null, reply: object) => void) {
    let bytes = 0n;
    call.on("data", ({ data }) => {
      bytes += BigInt(data.length);
    });
    call.on("end", () => answer(null, protobuf.create(SinkReplySchema, { bytes })));
  },
  mirror(call: Streamed) {
    call.on("data", (chunk) => call.write(chunk));
    call.on("end", () => call.end());
  },
};

async function listening(tls?: PluginTls, options?: ServerOptions) {
  const server = await makeServer(options);
  server.addService(
    protobufService(Stream, protobuf),
    implementation as unknown as UntypedServiceImplementation,
  );
  const injector = new Injector(server, tls, nullLogger);
  const listener = createServer((connection) => injector.inject(connection));
  const address = listenPath(tmpdir(), `goplug-test-${process.pid}-${++sockets}`);
  await new Promise<void>((resolve) => listener.listen(address, resolve));
  after(async () => {
    listener.close();
    await stopServer(server, injector, 0);
  });
  const connect = async (client?: ConnectionOptions) => {
    const signal = AbortSignal.timeout(10_000);
    const conn = await connectGrpc({ network: "unix", address }, { tls: client, signal });
    after(() => conn.close());
    return conn.protobuf(Stream, protobuf);
  };
  return { connect, injector, server };
}

async function collect(chunks: AsyncIterable<{ data: Uint8Array }>): Promise<number[]> {
  const all: number[] = [];
  for await (const { data } of chunks) all.push(...data);
  return all;
}

test("protobuf-es's client: streams from the server, to it, and both", async () => {
  const stream = await (await listening()).connect();
  assert.deepEqual(await collect(stream.source({ bytes: 3n })), [0, 1, 2]);
  const chunks = [1, 2, 3].map((n) => ({ data: new Uint8Array(n).fill(n) }));
  assert.equal((await stream.sink(chunks)).bytes, 6n);
  assert.deepEqual(await collect(stream.mirror(chunks)), [1, 2, 2, 3, 3, 3]);
});

test("a stream that is left early, called off, or whose input fails ends the call", async () => {
  const stream = await (await listening()).connect();
  for await (const { data } of stream.source({ bytes: 5000n })) {
    if (data[0] === 2) break;
  }
  const abort = new AbortController();
  const called = collect(stream.source({ bytes: 5000n }, { signal: abort.signal }));
  abort.abort();
  await assert.rejects(called, { code: "ERR_ABORTED" });
  const failing = async function* () {
    yield { data: Uint8Array.of(1) };
    throw new Error("no more");
  };
  await assert.rejects(stream.sink(failing()), { code: 1 });
  assert.equal((await stream.sink([])).bytes, 0n);
});

test("the user's server options count: limits and interceptors", async () => {
  const seen: string[] = [];
  const interceptor: ServerInterceptor = (method, call) => {
    seen.push(method.path);
    return new ServerInterceptingCall(call, new ResponderBuilder().build());
  };
  const options = { "grpc.max_receive_message_length": 1000, interceptors: [interceptor] };
  const stream = await (await listening(undefined, options)).connect();
  assert.equal((await stream.sink([{ data: new Uint8Array(900) }])).bytes, 900n);
  await assert.rejects(stream.sink([{ data: new Uint8Array(1100) }]), { code: 8 });
  assert.deepEqual(seen, ["/goplug.fixtures.Stream/Sink", "/goplug.fixtures.Stream/Sink"]);
});

test("AutoMTLS in the broker's other direction: the host serves its plugin, and nobody else", async () => {
  const own = await generateCertificate();
  const plugin = (await pluginTls({ clientCert: own.certPem }))!;
  const host = hostTlsOptions({ own, announced: plugin.announce })!;
  const { connect } = await listening(serverRole(host, true));
  const stream = await connect(clientRole(plugin));
  assert.deepEqual(await collect(stream.source({ bytes: 2n })), [0, 1]);
  const stranger = await generateCertificate();
  const signedByPlugin = await issueCertificate({
    certDer: plugin.announce!,
    certPem: String(plugin.options.cert),
    keyPem: String(plugin.options.key),
  });
  const intruders: Record<string, ConnectionOptions | undefined> = {
    plain: undefined,
    "no certificate": { ca: own.certPem, servername: "localhost" },
    "another certificate": { ...clientRole(plugin), cert: stranger.certPem, key: stranger.keyPem },
    "one that the plugin's has signed": {
      ...clientRole(plugin),
      cert: signedByPlugin.certPem,
      key: signedByPlugin.keyPem,
    },
  };
  for (const [name, tls] of Object.entries(intruders)) {
    await assert.rejects(async () => {
      const intruding = await connect(tls);
      await intruding.sink([], { timeout: 5000 });
    }, name);
  }
  // And the plugin does not talk to another host than its own.
  for (const { certPem, keyPem } of [stranger, await issueCertificate(own)]) {
    const impostor = await listening({ options: { cert: certPem, key: keyPem } });
    await assert.rejects(impostor.connect(clientRole(plugin)), { code: "ERR_GRPC_CONNECT" });
  }
  assert.deepEqual(await collect(stream.source({ bytes: 1n })), [0]);
});

test("a host without a certificate of its own cannot serve", () => {
  assert.throws(() => serverRole({ ca: "x" }, false), { code: "ERR_TLS_CERTIFICATE" });
});

test("running calls may end within the grace period, and are cancelled after it", async () => {
  const { connect, server, injector } = await listening();
  const stream = await connect();
  let release = (): void => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const inputs = async function* () {
    yield { data: Uint8Array.of(1) };
    await held;
    yield { data: Uint8Array.of(2) };
  };
  const answers = stream.mirror(inputs())[Symbol.asyncIterator]();
  assert.deepEqual([...((await answers.next()).value as { data: Uint8Array }).data], [1]);
  const stopped = stopServer(server, injector, 10_000);
  release();
  assert.deepEqual([...((await answers.next()).value as { data: Uint8Array }).data], [2]);
  assert.equal((await answers.next()).done, true);
  await stopped;
  const second = await listening();
  const other = await second.connect();
  const endless = async function* () {
    yield { data: Uint8Array.of(1) };
    await new Promise(() => {});
  };
  const cut = other.mirror(endless())[Symbol.asyncIterator]();
  await cut.next();
  const rejected = assert.rejects(Promise.resolve(cut.next()), (error: { code: number }) =>
    [1, 14].includes(error.code),
  );
  await stopServer(second.server, second.injector, 50);
  await rejected;
});
