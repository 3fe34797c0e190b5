// What it costs that calls can be observed: nothing but a counter while nobody subscribes.
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CallObserver, newCounters, tracing } from "../src/diagnostics.js";
import { gob } from "../src/index.js";
import { RpcClient, RpcServer } from "../src/netrpc/index.js";
import { alternate, type Row, row, type Suite } from "./harness.js";

const ROUNDS = 9;
const CALLS = 60_000;
const LANES = 64;
const methods = { Get: [gob.string, gob.string] } as const;

async function socketPair(): Promise<[Socket, Socket]> {
  const folder = mkdtempSync(join(tmpdir(), "goplug-bench-"));
  const server = createServer().listen(join(folder, "s"));
  await once(server, "listening");
  const client = connect(join(folder, "s"));
  const [accepted] = (await once(server, "connection")) as [Socket];
  server.close();
  rmSync(folder, { recursive: true });
  return [client, accepted];
}

/** Calls per second of a client and a server in this process, 64 calls at a time. */
async function measure(observer: CallObserver | undefined): Promise<number> {
  const [near, far] = await socketPair();
  void new RpcServer().register("Plugin", methods, { Get: (key) => key }).serve(far);
  const client = new RpcClient(near, { observer });
  const drive = async (calls: number): Promise<void> => {
    let left = calls;
    const lane = async (): Promise<void> => {
      while (left-- > 0) await client.call("Plugin.Get", gob.string, "key", gob.string);
    };
    await Promise.all(Array.from({ length: LANES }, lane));
  };
  await drive(CALLS / 4);
  const start = performance.now();
  await drive(CALLS);
  const seconds = (performance.now() - start) / 1000;
  await client.close();
  return CALLS / seconds;
}

const handlers = { start() {}, end() {}, asyncStart() {}, asyncEnd() {}, error() {} };

async function whileSubscribed(work: () => Promise<number>): Promise<number> {
  tracing.call.subscribe(handlers);
  try {
    return await work();
  } finally {
    tracing.call.unsubscribe(handlers);
  }
}

export const suite: Suite = {
  name: "diagnostics: what net/rpc calls pay for being observable",
  async run(wanted) {
    if (!wanted("diagnostics.idle") && !wanted("diagnostics.subscribed")) return [];
    const observer = (): CallObserver => ({ plugin: "bench", counters: newCounters() });
    const figures = await alternate(ROUNDS, {
      idle: () => measure(observer()),
      without: () => measure(undefined),
      subscribed: () => whileSubscribed(() => measure(observer())),
    });
    const rows: Row[] = [];
    for (const name of ["idle", "subscribed"] as const)
      if (wanted(`diagnostics.${name}`))
        rows.push(
          row(
            `diagnostics.${name}`,
            "calls/s",
            "higher",
            figures[name],
            "no observer",
            figures.without,
            name === "idle" ? 0.95 : undefined,
          ),
        );
    return rows;
  },
};
