// What a gRPC call costs in processor time, host and plugin apart: the same with 1 to 10,000 calls in flight, and for each byte
// of a message of any size. A TypeScript host on a TypeScript plugin; Linux alone tells the plugin's time.
import { readFileSync } from "node:fs";
import { Client, grpcPlugin, nullLogger } from "../src/index.js";
import { pluginCommand } from "../test/interop/build-plugins.js";
import { KVClient } from "../test/interop/gen/kv.js";
import { call } from "../test/interop/grpc-support.js";
import { handshakeConfig, pattern } from "../test/interop/support.js";
import { median, type Row, row, type Suite } from "./harness.js";

const rounds = 5;
const MILLISECONDS = 500;
/** Linux counts a process's time in hundredths of a second, whatever its kernel does inside. */
const TICK = 10;
const FLOOR = 0.7;

const flights = [64, 1, 1000, 10_000];
const KIB = 1024;
const MIB = 1024 * KIB;
const sizes = [64, MIB, 4 * KIB, 64 * KIB, 256 * KIB, 4 * MIB, 16 * MIB];
const sizeName = (size: number): string =>
  size >= MIB ? `${size / MIB}MiB` : size >= KIB ? `${size / KIB}KiB` : `${size}B`;

const kv = grpcPlugin({ client: ({ conn }) => conn.client(KVClient), server: () => {} });

/** Microseconds of processor time. */
interface Cost {
  readonly host: number;
  readonly plugin: number;
}
const sides = ["host", "plugin"] as const;

function hostTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function processTime(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK;
}

/** What a call costs each side, `inFlight` of them at a time. */
async function costOf(pid: number, inFlight: number, one: () => Promise<unknown>): Promise<Cost> {
  const start = performance.now();
  const [host, plugin] = [hostTime(), processTime(pid)];
  let calls = 0;
  const worker = async (): Promise<void> => {
    while (performance.now() - start < MILLISECONDS) {
      await one();
      calls++;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  const perCall = (milliseconds: number): number => (milliseconds / calls) * 1000;
  return { host: perCall(hostTime() - host), plugin: perCall(processTime(pid) - plugin) };
}

/** The medians of several rounds, the subjects in turn; what is measured first is not counted. */
async function medians(
  keys: readonly number[],
  measure: (key: number) => Promise<Cost>,
): Promise<(key: number) => Cost> {
  const seen = new Map(keys.map((key): [number, Cost[]] => [key, []]));
  for (const key of keys) await measure(key);
  for (let round = 0; round < rounds; round++)
    for (const key of keys) seen.get(key)!.push(await measure(key));
  return (key) => {
    const costs = seen.get(key)!;
    return {
      host: median(costs.map(({ host }) => host)),
      plugin: median(costs.map(({ plugin }) => plugin)),
    };
  };
}

/** Each number of calls in flight beside 64. One at a time has its system calls for itself, and no floor. */
async function byFlight(pid: number, get: () => Promise<unknown>): Promise<Row[]> {
  const cost = await medians(flights, (inFlight) => costOf(pid, inFlight, get));
  return flights.slice(1).flatMap((inFlight) =>
    sides.map((side) => {
      const name = `grpc.flat.inflight${inFlight}.${side}`;
      const floor = inFlight === 1 ? undefined : FLOOR;
      return row(name, "µs/call", "lower", cost(inFlight)[side], "64 in flight", cost(64)[side], floor);
    }),
  );
}

/** Each size beside the straight line through 64 B and 1 MiB. */
async function bySize(
  pid: number,
  method: "get" | "put",
  measured: (size: number) => Promise<() => Promise<unknown>>,
): Promise<Row[]> {
  const cost = await medians(sizes, async (size) => costOf(pid, 1, await measured(size)));
  return sizes.slice(2).flatMap((size) =>
    sides.map((side) => {
      const perByte = (cost(MIB)[side] - cost(64)[side]) / MIB;
      const line = cost(64)[side] + size * perByte;
      const name = `grpc.flat.${method}${sizeName(size)}.${side}`;
      return row(name, "µs/call", "lower", cost(size)[side], "straight line", line, FLOOR);
    }),
  );
}

export const suite: Suite = {
  name: "gRPC: what a call costs, by calls in flight and by size",
  async run(wanted) {
    if (!wanted("grpc.flat") || process.platform !== "linux") return [];
    await using host = new Client({
      handshakeConfig,
      plugins: { kv },
      cmd: await pluginCommand("kv-grpc"),
      allowedProtocols: ["grpc"],
      logger: nullLogger,
    });
    const client = await host.dispense("kv");
    const get = (): Promise<unknown> => call(client, client.get as never, { key: "bench" });
    const putter = (size: number) => {
      const value = pattern(size);
      return (): Promise<unknown> => call(client, client.put as never, { key: "bench", value });
    };
    await putter(64)();
    const pid = host.pid!;
    return [
      ...(await byFlight(pid, get)),
      ...(await bySize(pid, "get", async (size) => {
        await putter(size)();
        return get;
      })),
      ...(await bySize(pid, "put", async (size) => putter(size))),
    ];
  },
};
