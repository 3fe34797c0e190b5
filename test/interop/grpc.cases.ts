// A TypeScript host with gRPC plugins in Go and in TypeScript.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ServiceError } from "@grpc/grpc-js";
import {
  Client,
  type ClientConfig,
  gob,
  type Metadata,
  netRpcPlugin,
  nullLogger,
  PluginExitedError,
  type PluginSet,
  StartError,
} from "../../src/index.js";
import { generateCertificate } from "../../src/tls/certificate.js";
import type { Case, CaseContext } from "./case.js";
import {
  AddHelperClient,
  AddHelperService,
  type BrokerId,
  type CounterValue,
  type DialFailure,
  type NestReply,
  type SumReply,
} from "./gen/counter.js";
import type { Chunk, SinkReply } from "./gen/stream.js";
import { call, counter, kv, type Side, sides, transports, type Variant, variants } from "./grpc-support.js";
import { addHelper } from "./plugins/services/counter-grpc.js";
import { Collector, handshakeConfig, killedByOther, pattern, stopped, until, withClient } from "./support.js";

type Kv = Awaited<ReturnType<typeof kv.grpcClient>>;
type Counter = Awaited<ReturnType<typeof counter.grpcClient>>;
type Config<P extends PluginSet> = Omit<Partial<ClientConfig<P>>, "handshakeConfig">;

async function onGrpc<P extends PluginSet>(
  side: Side,
  plugin: string,
  context: CaseContext,
  config: Config<P>,
  use: (client: Client<P>) => Promise<void>,
): Promise<void> {
  const cmd = await side.command(plugin, context);
  await withClient<P>({ cmd, allowedProtocols: ["grpc"], ...config } as ClientConfig<P>, use);
}

function onKv(
  side: Side,
  { name, config }: Variant,
  feature: string,
  use: (face: Kv, client: Client<{ kv: typeof kv }>) => Promise<void>,
): Case {
  return {
    name: `${side.pair} grpc ${feature}${name}`,
    needs: side.needs("kv-grpc"),
    run: (context) =>
      onGrpc(side, "kv-grpc", context, { plugins: { kv }, ...config }, async (client) =>
        use(await client.dispense("kv"), client),
      ),
  };
}

function onCounter(
  side: Side,
  { name, config }: Variant,
  feature: string,
  use: (face: Counter) => Promise<void>,
): Case {
  return {
    name: `${side.pair} grpc ${feature}${name}`,
    needs: side.needs("counter-grpc"),
    run: (context) => {
      // Go leaves the sockets of brokered servers behind that are open at its end; this folder goes with the plugin.
      const further = { plugins: { counter }, unixSocketConfig: {}, ...config };
      return onGrpc(side, "counter-grpc", context, further, async (client) =>
        use(await client.dispense("counter")),
      );
    },
  };
}

async function bytesOf(chunks: AsyncIterable<Chunk>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const { data } of chunks) all.push(data);
  return Buffer.concat(all);
}

function withVariants(side: Side): Case[] {
  return variants.flatMap((variant) => [
    onKv(
      side,
      variant,
      "kv of 0, 64, 1 Mi and 16 Mi bytes, by two generators on one connection",
      async (face) => {
        for (const size of [0, 64, 1 << 20, 16 << 20]) {
          const value = pattern(size);
          await face.es.put({ key: "k", value });
          const { value: got } = await call<{ key: string }, { value: Buffer }>(face.kv, face.kv.get, {
            key: "k",
          });
          assert.equal(Buffer.compare(got, value), 0);
        }
        await assert.rejects(face.es.get({ key: "nobody" }), { code: 5, details: "key not found: nobody" });
      },
    ),
    onKv(side, variant, "header and trailer of protobuf-es's calls, with OK and without", async (face) => {
      for (const code of [0, 9]) {
        const told: unknown[] = [];
        const show = (key: string) => (metadata: Metadata) => told.push(metadata.get(key));
        const listeners = { onHeader: show("goplug-header"), onTrailer: show("goplug-trailer") };
        await face.tools
          .fail({ code, text: "" }, listeners)
          .catch((error: ServiceError) => assert.equal(error.code, code));
        // Before an error grpc-go sends a header of its own, or none: trailers alone.
        assert.deepEqual(told.at(-1), [String(code)]);
        if (code === 0) assert.deepEqual(told, [["yes"], ["0"]]);
      }
    }),
    onKv(side, variant, "ping, and 64 calls in flight", async (face, client) => {
      await client.ping({ timeout: 10_000 });
      assert.equal(client.protocol, "grpc");
      const echo = async (i: number): Promise<void> => {
        for (let n = 0; n < 20; n++) {
          const data = Buffer.from(`${i} ${n}`);
          assert.deepEqual(Buffer.from((await face.tools.echo({ data })).data), data);
        }
      };
      await Promise.all(Array.from({ length: 64 }, (_, i) => echo(i)));
    }),
    onKv(side, variant, "streams of 4 MiB: from the plugin, to it, and both at once", async ({ stream }) => {
      const size = 4 << 20;
      const all = pattern(size);
      const source = stream.source({ bytes: BigInt(size), chunk: 0, code: 0, text: "", stay: false });
      assert.equal(Buffer.compare(await bytesOf(source), all), 0);
      const failing = stream.source({ bytes: 1000n, chunk: 100, code: 9, text: "no more", stay: false });
      await assert.rejects(bytesOf(failing), { code: 9, details: "no more" });
      const sunk = new Promise<SinkReply>((resolve, reject) => {
        const sink = stream.sink((error, answer) => (error === null ? resolve(answer) : reject(error)));
        for (let i = 0; i < size; i += 65_536) sink.write({ data: all.subarray(i, i + 65_536) });
        sink.end();
      });
      const sha256 = createHash("sha256").update(all).digest("hex");
      assert.deepEqual(await sunk, { bytes: BigInt(size), sha256 });
      const mirror = stream.mirror();
      for (let i = 0; i < size; i += 65_536) mirror.write({ data: all.subarray(i, i + 65_536) });
      mirror.end();
      assert.equal(Buffer.compare(await bytesOf(mirror), all), 0);
    }),
    {
      name: `${side.pair} grpc stdout and stderr synced, 1 MiB each${variant.name}`,
      needs: side.needs("kv-grpc"),
      async run(context) {
        const [syncStdout, syncStderr] = [new Collector(), new Collector()];
        const config = { plugins: { kv }, syncStdout, syncStderr, ...variant.config };
        await onGrpc(side, "kv-grpc", context, config, async (client) => {
          const { tools } = await client.dispense("kv");
          const n = BigInt(1 << 20);
          await Promise.all([tools.writeStdout({ n }), tools.writeStderr({ n })]);
          await until("1 MiB on each", () => syncStdout.size >= 1 << 20 && syncStderr.size >= 1 << 20);
        });
        assert.equal(Buffer.compare(syncStdout.bytes, pattern(1 << 20)), 0);
        assert.equal(Buffer.compare(syncStderr.bytes, pattern(1 << 20)), 0);
      },
    },
    onKv(side, variant, "graceful kill with a call and a stream open", async (face, client) => {
      const hanging = assert.rejects(face.tools.hang({}), (error: ServiceError) =>
        [1, 14].includes(error.code),
      );
      const staying = face.stream.source({ bytes: 10n, chunk: 0, code: 0, text: "", stay: true });
      const ended = assert.rejects(bytesOf(staying), (error: ServiceError) => [1, 14].includes(error.code));
      await client.ping();
      await client.kill();
      await Promise.all([hanging, ended]);
      assert.deepEqual(client.exitStatus, { code: 0, signal: null });
      assert.equal(face.signal.aborted, true);
    }),
    onKv(side, variant, "plugin killed in mid-call", async (face, client) => {
      const killed = ({ code, cause }: ServiceError) => {
        assert.equal(code, 14);
        assert.ok(cause instanceof PluginExitedError, String(cause));
        assert.deepEqual(cause.exit, killedByOther);
        return true;
      };
      const staying = face.stream.source({ bytes: 10n, chunk: 0, code: 0, text: "", stay: true });
      const others = [face.tools.hang({}), face.tools.hang({}), bytesOf(staying)].map((running) =>
        assert.rejects(running, killed),
      );
      await assert.rejects(face.tools.killSelf({}), killed);
      await Promise.all(others);
      await until("the signal", () => face.signal.aborted);
      assert.ok(face.signal.reason instanceof PluginExitedError);
      assert.deepEqual(face.signal.reason.exit, killedByOther);
      await assert.rejects(client.ping({ timeout: 10_000 }), PluginExitedError);
    }),
    onKv(side, variant, "a panic in mid-call is the cause of the call's error", async (face) => {
      const panicked = ({ cause }: ServiceError) => {
        assert.ok(cause instanceof PluginExitedError, String(cause));
        assert.match(cause.message, /the very last straw/);
        return true;
      };
      await assert.rejects(face.tools.crash({ text: "the very last straw" }), panicked);
      // A call that is made afterwards knows it, too.
      await assert.rejects(face.tools.echo({}), panicked);
    }),
    onKv(side, variant, "a plugin's own UNAVAILABLE has no cause", async ({ tools }) => {
      await assert.rejects(tools.fail({ code: 14, text: "later" }), ({ cause, details }: ServiceError) => {
        assert.deepEqual([cause, details], [undefined, "later"]);
        return true;
      });
    }),
    onCounter(side, variant, "the plugin calls back", async ({ broker, counter: store }) => {
      for (const [value, sum] of [
        [3n, 3n],
        [4n, 7n],
      ] as const) {
        await using helper = await broker.serve((server) =>
          server.addService(AddHelperService, addHelper("host", broker, 0n)),
        );
        const put = { addServer: helper.id, key: "k", value };
        assert.deepEqual(await call(store, store.put, put), { value: sum });
      }
      assert.deepEqual(await call<{ key: string }, CounterValue>(store, store.get, { key: "k" }), {
        value: 7n,
      });
    }),
    onCounter(
      side,
      variant,
      "the host dials 16 helpers of the plugin at once, while it is called back",
      async (face) => {
        const { broker, counter: store } = face;
        const dial = async (i: number): Promise<void> => {
          const { id } = await call<object, BrokerId>(store, store.open, {});
          await using conn = await broker.dial(id);
          const helper = conn.client(AddHelperClient);
          const sum = await call<{ a: bigint; b: bigint }, SumReply>(helper, helper.sum, {
            a: BigInt(i),
            b: 2n,
          });
          assert.deepEqual(sum, { r: BigInt(i) + 1002n });
        };
        const serve = async (i: number): Promise<void> => {
          await using helper = await broker.serve((server) =>
            server.addService(AddHelperService, addHelper("host", broker, 0n)),
          );
          const put = { addServer: helper.id, key: `k${i}`, value: BigInt(i) };
          assert.deepEqual(await call(store, store.put, put), { value: BigInt(i) });
        };
        await Promise.all(Array.from({ length: 16 }, (_, i) => [dial(i), serve(i)]).flat());
      },
    ),
    onCounter(side, variant, "nested four deep", async ({ broker, counter: store }) => {
      await using own = await broker.serve((server) =>
        server.addService(AddHelperService, addHelper("host", broker, 0n)),
      );
      const nested = await call<object, NestReply>(store, store.nest as never, { depth: 3, id: own.id });
      assert.deepEqual(nested.names, ["plugin 3", "host 2", "plugin 1", "host 0"]);
    }),
    onCounter(
      side,
      variant,
      "dials of ids that nobody serves, in both directions",
      async ({ broker, counter: store }) => {
        const text = variant.config.grpcBrokerMultiplex
          ? "timeout waiting for multiplexing knock handshake on id 777"
          : "timeout waiting for connection info";
        const [theirs] = await Promise.all([
          call<BrokerId, DialFailure>(store, store.dialNobody, { id: 778 }),
          assert.rejects(broker.dial(777), { code: "ERR_BROKER_TIMEOUT", message: text }),
          broker.serve(() => {}),
        ]);
        assert.ok(theirs.text.includes(text.replace("777", "778")), theirs.text);
      },
    ),
  ]);
}

const netRpcKv = netRpcPlugin({
  Put: [gob.map(gob.string, gob.any), gob.any],
  Get: [gob.string, gob.bytes],
});

/** Features for which it does not matter how the connection is secured, or shared. */
function once(side: Side, transport: Variant): Case[] {
  const { name: suffix, config } = transport;
  return [
    onKv(side, transport, "kv of 64 MiB", async ({ es }) => {
      const value = pattern(64 << 20);
      await es.put({ key: "k", value });
      assert.equal(Buffer.compare((await es.get({ key: "k" })).value, value), 0);
    }),
    onKv(side, transport, "kill of a plugin that is stopped", async ({ tools }, client) => {
      const frozen = assert.rejects(tools.freeze({}), { code: 14 });
      await stopped(Number(client.id));
      await client.kill();
      await frozen;
      assert.deepEqual(client.exitStatus, { code: null, signal: "SIGKILL" });
    }),
    onKv(side, transport, "calls abandoned by signal and timeout", async ({ tools }) => {
      const abort = new AbortController();
      const hanging = tools.hang({}, { signal: abort.signal });
      abort.abort(new Error("changed my mind"));
      await assert.rejects(hanging, { code: "ERR_ABORTED" });
      await assert.rejects(tools.sleep({ n: 500n }, { timeout: 20 }), { code: 4 });
      assert.equal((await tools.sleep({ n: 5n })).n, 5n);
    }),
    {
      name: `${side.pair} grpc a message over the user's own limit${suffix}`,
      needs: side.needs("kv-grpc"),
      run: (context) => {
        const grpcChannelOptions = { "grpc.max_receive_message_length": 1000 };
        const limited = { plugins: { kv }, grpcChannelOptions, ...config };
        return onGrpc(side, "kv-grpc", context, limited, async (client) => {
          const { tools } = await client.dispense("kv");
          await assert.rejects(tools.echo({ data: pattern(2000) }), { code: 8 });
          assert.equal((await tools.echo({ data: pattern(500) })).data.length, 500);
        });
      },
    },
    {
      name: `${side.pair} grpc a host that speaks only net/rpc${suffix}`,
      needs: side.needs("kv-grpc"),
      async run(context) {
        const cmd = await side.command("kv-grpc", context);
        await withClient({ plugins: { kv }, cmd, ...config }, async (client) => {
          await assert.rejects(client.dispense("kv"), (error: unknown) => {
            assert.ok(error instanceof StartError);
            assert.match(error.message, /unsupported plugin protocol "grpc"\. Supported: \[netrpc\]/);
            return true;
          });
        });
      },
    },
    {
      name: `${side.pair} grpc plugin types that the host does not have, or not for gRPC${suffix}`,
      needs: side.needs("kv-grpc"),
      run: (context) => {
        const plugins = { kv, stranger: netRpcKv };
        return onGrpc(side, "kv-grpc", context, { plugins, ...config }, async (client) => {
          await assert.rejects(client.dispense("stranger"), {
            code: "ERR_PLUGIN_PROTOCOL",
            message:
              "plugin \"stranger\" doesn't support gRPC: the plugin speaks gRPC, and the host's type of that name has only a net/rpc side",
          });
          await assert.rejects(client.dispense("nobody" as "kv"), { code: "ERR_UNKNOWN_PLUGIN" });
        });
      },
    },
    {
      name: `${side.pair} grpc negotiated: net/rpc in version 2, gRPC in version 3${suffix}`,
      needs: side.needs("versioned"),
      async run(context) {
        const versions = { 2: { kv: netRpcKv }, 3: { kv } };
        const cmd = await side.command("versioned", context);
        const common = {
          ...config,
          cmd,
          allowedProtocols: ["netrpc", "grpc"] as const,
          handshakeConfig,
          logger: nullLogger,
        };
        await using both = new Client<PluginSet>({ ...common, versionedPlugins: versions });
        const face = (await both.dispense("kv")) as Kv;
        await face.es.put({ key: "k", value: Buffer.from("v") });
        assert.equal(Buffer.from((await face.es.get({ key: "k" })).value).toString(), "v (3)");
        assert.deepEqual([both.protocol, both.negotiatedVersion], ["grpc", 3]);
        await using old = new Client({ ...common, versionedPlugins: { 2: versions[2] } });
        const store = await old.dispense("kv");
        await store.Put({ key: "k", value: Buffer.from("v") });
        assert.equal(Buffer.from(await store.Get("k")).toString(), "v (2)");
        assert.deepEqual([old.protocol, old.negotiatedVersion], ["netrpc", 2]);
      },
    },
    {
      name: `${side.pair} grpc reattach${suffix}`,
      needs: side.needs("kv-grpc"),
      run: (context) =>
        onGrpc(side, "kv-grpc", context, { plugins: { kv }, ...config }, async (client) => {
          const face = await client.dispense("kv");
          await face.es.put({ key: "k", value: Buffer.from("v") });
          const reattach = await client.reattachConfig();
          const second = new Client({
            ...config,
            handshakeConfig,
            plugins: { kv },
            logger: nullLogger,
            reattach: reattach!,
          });
          const again = await second.dispense("kv");
          assert.equal(Buffer.from((await again.es.get({ key: "k" })).value).toString(), "v");
          await second.kill();
          await until("the end", () => client.exited);
        }),
    },
  ];
}

/** TLS that the user configured on both sides. The Go plugin does not know the host's CA, so it does not dial. */
const ownTls = ({ name, config: transport }: Variant): Case => ({
  name: `ts->go grpc the user's own TLS, and a brokered connection over it${name}`,
  needs: ["counter-grpc"],
  async run({ bin }) {
    const dir = await mkdtemp(join(tmpdir(), "goplug-tls-"));
    try {
      const [theirs, ours] = [await generateCertificate(), await generateCertificate()];
      const files = { cert: join(dir, "cert.pem"), key: join(dir, "key.pem"), ca: join(dir, "ca.pem") };
      await writeFile(files.cert, theirs.certPem);
      await writeFile(files.key, theirs.keyPem);
      await writeFile(files.ca, ours.certPem);
      const cmd = {
        path: bin("counter-grpc"),
        env: { GOPLUG_TLS_CERT: files.cert, GOPLUG_TLS_KEY: files.key, GOPLUG_TLS_CLIENT_CA: files.ca },
      };
      const tlsConfig = { cert: ours.certPem, key: ours.keyPem, ca: theirs.certPem };
      // A folder that goes with the plugin: one that is killed, or has brokered servers open at its end, leaves their sockets.
      const further = { unixSocketConfig: {}, ...transport };
      const config = { plugins: { counter }, cmd, allowedProtocols: ["grpc"] as const, ...further };
      await withClient({ ...config, tlsConfig }, async (client) => {
        const { broker, counter: store } = await client.dispense("counter");
        const { id } = await call<object, BrokerId>(store, store.open, {});
        await using conn = await broker.dial(id);
        const helper = conn.client(AddHelperClient);
        const sum = await call<{ a: bigint; b: bigint }, SumReply>(helper, helper.sum, { a: 1n, b: 2n });
        assert.deepEqual(sum, { r: 1003n });
      });
      await withClient({ ...config, tlsConfig: { ...tlsConfig, ca: ours.certPem } }, async (client) => {
        await assert.rejects(client.dispense("counter"), { code: "ERR_START_CONNECT" });
      });
    } finally {
      await rm(dir, { recursive: true });
    }
  },
});

export const cases: Case[] = [
  ...sides.flatMap((side) => [
    ...withVariants(side),
    ...transports.flatMap((transport) => once(side, transport)),
  ]),
  ...transports.map(ownTls),
];
