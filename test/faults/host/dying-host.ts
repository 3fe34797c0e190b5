// A host that dies in the way that its first argument names. It starts the plugins of its further arguments, prints
// their pids and sockets as one line of JSON, and has a call in flight when it goes. With a mode that begins with
// "worker-" it runs in a worker thread, and the main thread does what ends it.
import { ChildProcess } from "node:child_process";
import { isMainThread, parentPort, Worker } from "node:worker_threads";
import { nullLogger } from "../../../src/hclog/logger.js";
import { Client } from "../../../src/index.js";
import { handshakeConfig, kv } from "../../interop/support.js";

const [mode, ...plugins] = process.argv.slice(2) as [string, ...string[]];

interface Started {
  pid: number | undefined;
  socket: string;
}

/** Starts the plugins, each with a call that gets no answer. */
async function startPlugins(
  options: { killWithHost?: boolean; watchdog?: boolean } = {},
): Promise<Started[]> {
  const clients = plugins.map(
    (cmd) => new Client({ handshakeConfig, plugins: { kv }, cmd: [cmd], logger: nullLogger, ...options }),
  );
  const stores = await Promise.all(clients.map((client) => client.dispense("kv")));
  for (const store of stores) store.Hang(null).catch(() => {});
  await clients[0]!.ping();
  return clients.map((client) => ({ pid: client.pid, socket: client.address!.address }));
}

/** What each mode does once its plugins run; the others wait for a signal. */
const deaths: Readonly<Record<string, () => void>> = {
  exit: () => process.exit(7),
  throw: () => {
    throw new Error("nobody catches this");
  },
  reject: () => void Promise.reject(new Error("nobody handles this")),
  handler: () => void process.on("SIGTERM", () => process.exit(8)),
  "hook-after": installExitHook,
};

function runInWorker(): void {
  // tsx's loader does not reach into threads by itself (on Node 20).
  const code = `import("tsx/esm/api").then(({ register }) => register() && import(${JSON.stringify(import.meta.url)}));`;
  const worker = new Worker(code, { eval: true, argv: [mode, ...plugins] });
  worker.once("message", (started: Started[]) => {
    process.stdout.write(`${JSON.stringify(started)}\n`, () => {
      if (mode === "worker-terminate") {
        // The process lives on: that its worker is gone must be enough.
        void worker.terminate();
        process.stdin.once("end", () => process.exit(0)).resume();
      } else deaths[mode.replace("worker-", "")]?.();
    });
  });
}

/** What the package signal-exit does with a signal: see whether it is alone, clean up, and let it take its course. */
function installExitHook(): void {
  const emitter = { count: 1 };
  Object.assign(globalThis, { [Symbol.for("signal-exit emitter")]: emitter });
  const hook = (): void => {
    if (process.listeners("SIGTERM").length !== emitter.count) return;
    process.stdout.write("\n");
    process.off("SIGTERM", hook);
    process.kill(process.pid, "SIGTERM");
  };
  process.on("SIGTERM", hook);
}

if (mode === "hook-before") installExitHook();
if (mode === "copies") {
  // A second copy of the library, as a bundle brings it along.
  const { Client: Other } = (await import(`${"../../../src/index.js"}?copy`)) as { Client: typeof Client };
  const other = new Other({ handshakeConfig, plugins: { kv }, cmd: [plugins[0]!], logger: nullLogger });
  await other.start();
}
if (mode === "early") {
  // Gone in the turn in which the process was started: nobody has told of it yet.
  const prototype = ChildProcess.prototype as unknown as { spawn(...args: unknown[]): number };
  const { spawn } = prototype;
  prototype.spawn = function (...args) {
    const result = spawn.apply(this, args);
    prototype.spawn = spawn;
    console.log(JSON.stringify([{ pid: (this as unknown as { pid: number }).pid }]));
    queueMicrotask(() => process.exit(7));
    return result;
  };
  const client = new Client({ handshakeConfig, plugins: { kv }, cmd: [plugins[0]!], logger: nullLogger });
  void client.start().catch(() => {});
} else if (mode.startsWith("worker-") && isMainThread) {
  runInWorker();
} else {
  const started = await startPlugins({ killWithHost: mode !== "outlived", watchdog: mode !== "unwatched" });
  if (!isMainThread) parentPort!.postMessage(started);
  else process.stdout.write(`${JSON.stringify(started)}\n`, () => deaths[mode]?.());
}
