// goplug's gRPC host beside a bare grpc-js client and a Go host, on the same Go plugin; a TypeScript plugin beside a Go one
// under the same Go host; the multiplexed broker beside the plain.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { credentials } from "@grpc/grpc-js";
import { Client, grpcPlugin, nullLogger } from "../src/index.js";
import { pluginCommand } from "../test/interop/build-plugins.js";
import { binary } from "../test/interop/case.js";
import { AddHelperClient, type BrokerId, type SumReply } from "../test/interop/gen/counter.js";
import { KVClient } from "../test/interop/gen/kv.js";
import { call, counter } from "../test/interop/grpc-support.js";
import { handshakeConfig, pattern } from "../test/interop/support.js";
import { alternate, type Row, row, type Suite } from "./harness.js";

const rounds = 7;
const kv = grpcPlugin({ client: ({ conn }) => conn.client(KVClient), server: () => {} });
const allowedProtocols = ["grpc"] as const;

interface Mode {
  /** Also bench-host-kv's mode. */
  name: string;
  calls: number;
  inFlight: number;
  /** Bytes of the value. */
  size: number;
}

const modes: Mode[] = [
  { name: "sequential", calls: 4000, inFlight: 1, size: 64 },
  { name: "inflight64", calls: 16_000, inFlight: 64, size: 64 },
  { name: "get1MiB", calls: 200, inFlight: 1, size: 1 << 20 },
];

const run = promisify(execFile);

/** A Go host's calls a second on a plugin. */
async function goHost({ name, calls, size }: Mode, command: readonly string[]): Promise<number> {
  const settings = ["-grpc", "-mode", name, "-n", String(calls), "-size", String(size)];
  const { stdout } = await run(binary("bench-host-kv"), [...settings, "--", ...command]);
  const result = JSON.parse(stdout) as { calls: number; seconds: number };
  return result.calls / result.seconds;
}

async function plugin(mode: Mode): Promise<Row> {
  const command = await pluginCommand("kv-grpc");
  const figures = await alternate(rounds, {
    goplug: () => goHost(mode, command),
    go: () => goHost(mode, [binary("kv-grpc")]),
  });
  return row(`grpc.plugin.${mode.name}`, "calls/s", "higher", figures.goplug, "Go plugin", figures.go);
}

/** Calls a second, after a warm-up. */
async function measure({ calls, inFlight }: Mode, one: () => Promise<unknown>): Promise<number> {
  const drive = async (n: number): Promise<void> => {
    let left = n;
    const worker = async (): Promise<void> => {
      while (left-- > 0) await one();
    };
    await Promise.all(Array.from({ length: inFlight }, worker));
  };
  await drive(calls / 5);
  const start = performance.now();
  await drive(calls);
  return (calls / (performance.now() - start)) * 1000;
}

async function connection(mode: Mode): Promise<Row[]> {
  await using host = new Client({
    handshakeConfig,
    plugins: { kv },
    cmd: [binary("kv-grpc")],
    allowedProtocols,
    logger: nullLogger,
  });
  const ours = await host.dispense("kv");
  const bare = new KVClient(`unix:${host.address!.address}`, credentials.createInsecure(), {
    "grpc.max_receive_message_length": -1,
  });
  await call(ours, ours.put as never, { key: "bench", value: pattern(mode.size) });
  const get = (client: KVClient) => () => call(client, client.get as never, { key: "bench" });
  const figures = await alternate(rounds, {
    goplug: () => measure(mode, get(ours)),
    bare: () => measure(mode, get(bare)),
    go: () => goHost(mode, [binary("kv-grpc")]),
  });
  bare.close();
  return [
    row(`grpc.${mode.name}`, "calls/s", "higher", figures.goplug, "Go host", figures.go),
    row(`grpc.${mode.name}.grpc-js`, "calls/s", "higher", figures.goplug, "bare grpc-js", figures.bare),
  ];
}

async function brokered(mode: Mode): Promise<Row> {
  const start = async (grpcBrokerMultiplex: boolean) => {
    const cmd = [binary("counter-grpc")] as const;
    const common = { handshakeConfig, plugins: { counter }, logger: nullLogger };
    const host = new Client({ ...common, cmd, allowedProtocols, grpcBrokerMultiplex });
    const { broker, counter: store } = await host.dispense("counter");
    const { id } = await call<object, BrokerId>(store, store.open, {});
    const helper = (await broker.dial(id)).client(AddHelperClient);
    const sum = (): Promise<SumReply> => call(helper, helper.sum as never, { a: 1n, b: 2n });
    return { host, sum };
  };
  const [muxed, plain] = [await start(true), await start(false)];
  try {
    const figures = await alternate(rounds, {
      muxed: () => measure(mode, muxed.sum),
      plain: () => measure(mode, plain.sum),
    });
    return row(`grpc.mux.${mode.name}`, "calls/s", "higher", figures.muxed, "plain broker", figures.plain);
  } finally {
    await Promise.all([muxed.host.kill(), plain.host.kill()]);
  }
}

export const suite: Suite = {
  name: "gRPC: hosts and plugins beside Go's and grpc-js, the multiplexed broker beside the plain one",
  async run(wanted) {
    const rows: Row[] = [];
    for (const mode of modes) {
      if (wanted(`grpc.${mode.name}`)) rows.push(...(await connection(mode)));
      if (wanted(`grpc.plugin.${mode.name}`)) rows.push(await plugin(mode));
      if (mode.size === 64 && wanted(`grpc.mux.${mode.name}`)) rows.push(await brokered(mode));
    }
    return rows;
  },
};
