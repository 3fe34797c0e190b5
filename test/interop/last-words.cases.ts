// A plugin that prints and ends at once: its output reaches the host, as synced output or on its stderr. (A Go plugin
// loses what its pipe held: the last 64 KiB, over gRPC up to 132 KiB.)
import assert from "node:assert/strict";
import { Client, nullLogger } from "../../src/index.js";
import { pluginCommand } from "./build-plugins.js";
import type { Case } from "./case.js";
import { kv as grpcKv, transports, type Variant } from "./grpc-support.js";
import { assertGone, Collector, handshakeConfig, kv as netRpcKv, pattern } from "./support.js";

const protocols = {
  netrpc: { plugin: "kv", plugins: { kv: netRpcKv } },
  grpc: { plugin: "kv-grpc", plugins: { kv: grpcKv } },
} as const;

interface Ways {
  readonly exit: () => Promise<unknown>;
  readonly crash: () => Promise<unknown>;
}

async function waysToEnd(client: Client, protocol: keyof typeof protocols): Promise<Ways> {
  if (protocol === "netrpc") {
    const face = (await client.dispense("kv")) as Awaited<ReturnType<typeof netRpcKv.client>>;
    return { exit: () => face.Exit(3), crash: () => face.Crash("thrown in mid-call") };
  }
  const { tools } = (await client.dispense("kv")) as Awaited<ReturnType<typeof grpcKv.grpcClient>>;
  return { exit: () => tools.exit({ n: 3n }), crash: () => tools.crash({ text: "thrown in mid-call" }) };
}

async function lastWords(
  protocol: keyof typeof protocols,
  way: keyof Ways,
  length: number,
  autoMTLS: boolean,
  transport: Variant,
): Promise<void> {
  const { plugin, plugins } = protocols[protocol];
  const byGrpcJs = transport.config.grpcTransport === "grpc-js";
  const [path, ...args] = await pluginCommand(plugin, ...(byGrpcJs ? ["--grpc-js"] : []));
  const [synced, raw] = [new Collector(), new Collector()];
  const client = new Client({
    handshakeConfig,
    plugins,
    allowedProtocols: [protocol],
    ...transport.config,
    autoMTLS,
    logger: nullLogger,
    syncStdout: synced,
    stderr: raw,
    cmd: { path, args, env: { GOPLUG_FIXTURE_LAST_WORDS: String(length) } },
  });
  try {
    const ways = await waysToEnd(client, protocol);
    await assert.rejects(ways[way]());
  } finally {
    await client.kill();
    assertGone(client);
  }
  const all = pattern(length);
  assert.ok(all.subarray(0, synced.size).equals(synced.bytes), "synced output is the beginning");
  const rest = all.subarray(synced.size);
  assert.ok(raw.bytes.includes(rest), `of ${rest.length} bytes that were not synced some are missing`);
  if (rest.length > 0)
    assert.match(raw.bytes.toString("latin1"), /the plugin has ended before its host took/);
}

const over = (protocol: keyof typeof protocols, transport: Variant): Case[] =>
  (["exit", "crash"] as const).flatMap((way) =>
    [64, 1 << 20].flatMap((length) =>
      [false, true].map((autoMTLS) => ({
        name: `ts->ts ${protocol}${autoMTLS ? " AutoMTLS" : ""} nothing is lost of ${length} bytes printed before ${way}${transport.name}`,
        needs: [],
        run: () => lastWords(protocol, way, length, autoMTLS, transport),
      })),
    ),
  );

export const cases: Case[] = [
  ...over("netrpc", transports[0]!),
  ...transports.flatMap((transport) => over("grpc", transport)),
];
