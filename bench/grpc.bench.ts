// goplug's gRPC host beside a Go host and a bare grpc-js client, on the same Go plugin; a TypeScript plugin beside a Go one, and
// beside one by grpc-js's transport, under the same Go host; the multiplexed broker beside the plain.
import { rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as protobuf from "@bufbuild/protobuf";
import { Client, grpcPlugin, nullLogger, protobufPlugin } from "../src/index.js";
import { pluginCommand } from "../test/interop/build-plugins.js";
import { binary } from "../test/interop/case.js";
import { AddHelperClient, type BrokerId, type SumReply } from "../test/interop/gen/counter.js";
import { KV } from "../test/interop/gen/es/kv_pb.js";
import { KVClient } from "../test/interop/gen/kv.js";
import { StreamClient } from "../test/interop/gen/stream.js";
import { call, counter } from "../test/interop/grpc-support.js";
import { handshakeConfig, pattern } from "../test/interop/support.js";
import { compileFile } from "./compile.js";
import { BareClient, driver, GoHost } from "./grpc/drive.js";
import { type Clients, type Workload, workloads } from "./grpc/workloads.js";
import { alternate, type Row, row, type Suite } from "./harness.js";

const rounds = 7;
const kv = grpcPlugin({
  client: ({ conn }): Clients => ({ kv: conn.client(KVClient), stream: conn.client(StreamClient) }),
  server: () => {},
});
const allowedProtocols = ["grpc"] as const;

async function hosts(workload: Workload): Promise<Row[]> {
  const cmd = [binary("kv-grpc")] as const;
  await using host = new Client({
    handshakeConfig,
    plugins: { kv },
    cmd,
    allowedProtocols,
    logger: nullLogger,
  });
  const ours = await host.dispense("kv");
  const program = await compileFile(fileURLToPath(new URL("grpc/bare.ts", import.meta.url)));
  const bare = new BareClient(program, workload, `unix:${host.address!.address}`);
  const go = new GoHost(workload, cmd);
  try {
    await call(ours.kv, ours.kv.put as never, { key: "bench", value: pattern(workload.size) });
    const { name, unit, floors, inFlight, one } = workload;
    const figures = await alternate(rounds, {
      goplug: driver(inFlight, () => one(ours)),
      bare: bare.measure,
      go: go.measure,
    });
    return [
      row(`grpc.${name}`, unit, "higher", figures.goplug, "Go host", figures.go, floors.go),
      row(
        `grpc.${name}.grpc-js`,
        unit,
        "higher",
        figures.goplug,
        "bare grpc-js",
        figures.bare,
        floors.grpcJs,
      ),
    ];
  } finally {
    await Promise.all([bare, go].map((peer) => peer.stop()));
    rmSync(program);
  }
}

/** Unary calls by protobuf-es's client, which grpc-js has no part in. */
async function protobufHost(workload: Workload): Promise<Row> {
  const { name, unit, inFlight, size, floors } = workload;
  const cmd = [binary("kv-grpc")] as const;
  const plugins = { kv: protobufPlugin(KV, protobuf) };
  await using host = new Client({ handshakeConfig, plugins, cmd, allowedProtocols, logger: nullLogger });
  const store = await host.dispense("kv");
  await store.put({ key: "bench", value: pattern(size) });
  const go = new GoHost(workload, cmd);
  try {
    const figures = await alternate(rounds, {
      goplug: driver(inFlight, async () => {
        await store.get({ key: "bench" });
        return 1;
      }),
      go: go.measure,
    });
    return row(`grpc.protobuf.${name}`, unit, "higher", figures.goplug, "Go host", figures.go, floors.go);
  } finally {
    await go.stop();
  }
}

/** A plugin of protobuf-es's services under a Go host. */
async function protobufPluginRow(workload: Workload): Promise<Row> {
  const goplug = new GoHost(workload, await pluginCommand("kv-es"));
  const go = new GoHost(workload, [binary("kv-grpc")]);
  try {
    const figures = await alternate(rounds, { goplug: goplug.measure, go: go.measure });
    const name = `grpc.plugin.protobuf.${workload.name}`;
    return row(name, workload.unit, "higher", figures.goplug, "Go plugin", figures.go, 0.8);
  } finally {
    await Promise.all([goplug.stop(), go.stop()]);
  }
}

/** The workloads that are calls of KV.Get. */
const unary: ReadonlySet<string> = new Set(["sequential", "inflight64", "get1MiB"]);

async function plugins(workload: Workload): Promise<Row[]> {
  const goplug = new GoHost(workload, await pluginCommand("kv-grpc"));
  const grpcJs = new GoHost(workload, await pluginCommand("kv-grpc", "--grpc-js"));
  const go = new GoHost(workload, [binary("kv-grpc")]);
  try {
    const figures = await alternate(rounds, {
      goplug: goplug.measure,
      grpcJs: grpcJs.measure,
      go: go.measure,
    });
    const { unit } = workload;
    const name = `grpc.plugin.${workload.name}`;
    return [
      row(name, unit, "higher", figures.goplug, "Go plugin", figures.go, 0.8),
      row(`${name}.grpc-js`, unit, "higher", figures.goplug, "grpc-js's transport", figures.grpcJs, 3),
    ];
  } finally {
    await Promise.all([goplug, grpcJs, go].map((host) => host.stop()));
  }
}

/** A plugin whose user has set what docs/grpc.md says for large messages. */
async function heap64Plugin(workload: Workload): Promise<Row> {
  const [node, ...program] = await pluginCommand("kv-grpc");
  const goplug = new GoHost(workload, [node, "--initial-old-space-size=64", ...program]);
  const go = new GoHost(workload, [binary("kv-grpc")]);
  try {
    const figures = await alternate(rounds, { goplug: goplug.measure, go: go.measure });
    const name = `grpc.plugin.${workload.name}.heap64`;
    return row(name, workload.unit, "higher", figures.goplug, "Go plugin", figures.go, 0.8);
  } finally {
    await Promise.all([goplug.stop(), go.stop()]);
  }
}

/** What is measured over a brokered connection. */
interface Brokered {
  name: string;
  unit: string;
  inFlight: number;
  one(clients: { helper: AddHelperClient; stream: StreamClient }): Promise<unknown>;
}

const sum: Brokered["one"] = ({ helper }) =>
  call<object, SumReply>(helper, helper.sum as never, { a: 1n, b: 2n });

/** One message of 1 MiB. */
async function get1MiB({ stream }: { stream: StreamClient }): Promise<void> {
  const source = stream.source({ bytes: 1n << 20n, chunk: 1 << 20, code: 0, text: "", stay: false });
  for await (const { data } of source) if (data.length !== 1 << 20) throw new Error(`${data.length} bytes`);
}

const overBroker: readonly Brokered[] = [
  { name: "sequential", unit: "calls/s", inFlight: 1, one: sum },
  { name: "inflight64", unit: "calls/s", inFlight: 64, one: sum },
  { name: "get1MiB", unit: "MiB/s", inFlight: 1, one: get1MiB },
];

async function brokered({ name, unit, inFlight, one }: Brokered): Promise<Row> {
  const start = async (grpcBrokerMultiplex: boolean) => {
    const cmd = [binary("counter-grpc")] as const;
    const common = { handshakeConfig, plugins: { counter }, logger: nullLogger };
    const host = new Client({ ...common, cmd, allowedProtocols, grpcBrokerMultiplex });
    const { broker, counter: store } = await host.dispense("counter");
    const { id } = await call<object, BrokerId>(store, store.open, {});
    const conn = await broker.dial(id);
    const clients = { helper: conn.client(AddHelperClient), stream: conn.client(StreamClient) };
    const measure = driver(inFlight, async () => {
      await one(clients);
      return 1;
    });
    return { host, measure };
  };
  const [muxed, plain] = [await start(true), await start(false)];
  try {
    const figures = await alternate(rounds, { muxed: muxed.measure, plain: plain.measure });
    return row(`grpc.mux.${name}`, unit, "higher", figures.muxed, "plain broker", figures.plain, 0.95);
  } finally {
    await Promise.all([muxed.host.kill(), plain.host.kill()]);
  }
}

export const suite: Suite = {
  name: "gRPC: hosts and plugins beside Go's and grpc-js, the multiplexed broker beside the plain one",
  async run(wanted) {
    const rows: Row[] = [];
    for (const workload of workloads) {
      const { name } = workload;
      if (wanted(`grpc.${name}`) || wanted(`grpc.${name}.grpc-js`)) rows.push(...(await hosts(workload)));
    }
    for (const workload of workloads) {
      const name = `grpc.plugin.${workload.name}`;
      if (wanted(name) || wanted(`${name}.grpc-js`)) rows.push(...(await plugins(workload)));
      if (workload.name === "get1MiB" && wanted(`${name}.heap64`)) rows.push(await heap64Plugin(workload));
    }
    for (const workload of workloads.filter(({ name }) => unary.has(name))) {
      if (wanted(`grpc.protobuf.${workload.name}`)) rows.push(await protobufHost(workload));
      if (wanted(`grpc.plugin.protobuf.${workload.name}`)) rows.push(await protobufPluginRow(workload));
    }
    for (const one of overBroker) if (wanted(`grpc.mux.${one.name}`)) rows.push(await brokered(one));
    return rows;
  },
};
