// A TypeScript host on a Go plugin beside a Go host on the same Go plugin.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { Client, gob, netRpcPlugin, nullLogger } from "../src/index.js";
import { binary } from "../test/interop/case.js";
import { handshakeConfig, pattern } from "../test/interop/support.js";
import { alternate, type Row, row, type Suite } from "./harness.js";

const rounds = 7;
const kv = netRpcPlugin({
  Put: [gob.map(gob.string, gob.any), gob.any],
  Get: [gob.string, gob.bytes],
  Echo: [gob.bytes, gob.bytes],
});
type Store = Awaited<ReturnType<typeof kv.client>>;

interface Mode {
  row: string;
  /** bench-host-kv's name of it. */
  go: string;
  calls: number;
  size: number;
  inFlight: number;
  call(store: Store, payload: Buffer): Promise<Uint8Array>;
}

const get = (store: Store): Promise<Uint8Array> => store.Get("bench");
const modes: Mode[] = [
  { row: "netrpc.sequential", go: "sequential", calls: 10_000, size: 64, inFlight: 1, call: get },
  { row: "netrpc.inflight64", go: "inflight64", calls: 40_000, size: 64, inFlight: 64, call: get },
  {
    row: "netrpc.echo64k",
    go: "echo64k",
    calls: 3000,
    size: 65_536,
    inFlight: 1,
    call: (store, payload) => store.Echo(payload),
  },
  { row: "netrpc.get1MiB", go: "get1MiB", calls: 300, size: 1 << 20, inFlight: 1, call: get },
];

/** Makes `n` calls, `inFlight` at a time. */
async function drive(mode: Mode, store: Store, payload: Buffer, n: number): Promise<void> {
  let left = n;
  const worker = async (): Promise<void> => {
    while (left-- > 0) {
      const answer = await mode.call(store, payload);
      if (answer.length !== mode.size) throw new Error(`an answer of ${answer.length} bytes`);
    }
  };
  await Promise.all(Array.from({ length: mode.inFlight }, worker));
}

async function typescriptHost(mode: Mode): Promise<number> {
  const cmd = [binary("kv-netrpc")] as const;
  await using client = new Client({ handshakeConfig, plugins: { kv }, cmd, logger: nullLogger });
  const store = await client.dispense("kv");
  const payload = pattern(mode.size);
  await store.Put({ key: "bench", value: payload });
  await drive(mode, store, payload, Math.min(mode.calls / 5, 2000));
  const start = performance.now();
  await drive(mode, store, payload, mode.calls);
  return (mode.calls / (performance.now() - start)) * 1000;
}

const run = promisify(execFile);

async function goHost(mode: Mode): Promise<number> {
  const { stdout } = await run(binary("bench-host-kv"), [
    ...["-mode", mode.go, "-n", String(mode.calls), "-size", String(mode.size), "--", binary("kv-netrpc")],
  ]);
  const { calls, seconds } = JSON.parse(stdout) as { calls: number; seconds: number };
  return calls / seconds;
}

export const suite: Suite = {
  name: "net/rpc: a TypeScript host beside a Go host, on the same Go plugin",
  async run(wanted) {
    const rows: Row[] = [];
    for (const mode of modes.filter((m) => wanted(m.row))) {
      const figures = await alternate(rounds, { goplug: () => typescriptHost(mode), go: () => goHost(mode) });
      rows.push(row(mode.row, "calls/s", "higher", figures.goplug, "Go host", figures.go, 1));
    }
    return rows;
  },
};
