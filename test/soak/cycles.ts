// Start, call, end, again and again; run with --expose-gc. Prints one line of JSON: what there was before and after.
// Usage: cycles.ts WAY CYCLES PLUGIN TEMPDIR; ways to end: `kill`, `die` (the plugin ends in mid-call), `refuse` (it ends
// before the handshake), `abort` (the start is called off).
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { nullLogger } from "../../src/hclog/logger.js";
import { Client } from "../../src/index.js";
import { handshakeConfig, kv } from "../interop/support.js";

const [way, cycles, path, folder] = process.argv.slice(2) as [string, string, string, string];
const gc = (globalThis as { gc?: () => void }).gc!;
let calls = 0;

function newClient() {
  const cmd = { path, env: { TMPDIR: folder } };
  return new Client({
    handshakeConfig,
    plugins: { kv },
    cmd,
    logger: nullLogger,
    unixSocketConfig: { tempDir: folder },
  });
}

async function use(client: ReturnType<typeof newClient>) {
  const store = await client.dispense("kv");
  await store.Put({ key: "k", value: Buffer.from("value") });
  if (Buffer.from(await store.Get("k")).toString() === "value") calls++;
  return store;
}

const ways: Readonly<Record<string, () => Promise<void>>> = {
  async kill() {
    const client = newClient();
    await use(client);
    await client.kill();
    if (client.exitStatus?.code !== 0) throw new Error(`ended with ${JSON.stringify(client.exitStatus)}`);
  },
  async die() {
    const client = newClient();
    const store = await use(client);
    const pending = [store.Hang(null), store.Sleep(60_000), store.KillSelf(null), client.ping()];
    await Promise.allSettled(pending);
    await client.kill();
  },
  async refuse() {
    const wrong = new Client({
      handshakeConfig: { ...handshakeConfig, magicCookieValue: "wrong" },
      plugins: { kv },
      cmd: { path },
      logger: nullLogger,
    });
    const outcome = await wrong.start().then(
      () => "started",
      (error: { code: string }) => error.code,
    );
    if (outcome === "ERR_START_EXITED") calls++;
    await wrong.kill();
  },
  async abort() {
    const client = newClient();
    const abort = new AbortController();
    const starting = client.dispense("kv", { signal: abort.signal }).then(
      () => {},
      () => {},
    );
    await sleep(Math.random() * 12);
    abort.abort();
    await starting;
    calls++;
    await client.kill();
  },
};
const cycle = ways[way]!;

/** Processes whose parent is this one. */
function children(): number {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.filter((pid) => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
      return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]) === process.pid;
    } catch {
      return false;
    }
  }).length;
}

async function measure() {
  // What is due in the next moments is let happen: unref'd timers of at most half a second.
  await sleep(700);
  for (let i = 0; i < 4; i++) {
    gc();
    await sleep(10);
  }
  const resources: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1;
  return {
    children: children(),
    descriptors: readdirSync("/proc/self/fd").length,
    files: readdirSync(folder).length,
    heap: process.memoryUsage().heapUsed,
    external: process.memoryUsage().external + process.memoryUsage().arrayBuffers,
    listeners: ["exit", "SIGINT", "SIGTERM", "SIGHUP"].map((event) => process.listenerCount(event)),
    resources,
  };
}

for (let i = 0; i < 20; i++) await cycle();
const before = await measure();
for (let i = 0; i < Number(cycles); i++) await cycle();
const after = await measure();
console.log(JSON.stringify({ calls, before, after }));
