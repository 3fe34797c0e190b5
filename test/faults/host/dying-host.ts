// A host that dies in the way that its first argument names. It starts the plugins of its further arguments, prints
// their pids and sockets as one line of JSON, and has a call in flight when it goes.
import { ChildProcess } from "node:child_process";
import { nullLogger } from "../../../src/hclog/logger.js";
import { Client } from "../../../src/index.js";
import { handshakeConfig, kv } from "../../interop/support.js";

const [mode, ...plugins] = process.argv.slice(2) as [string, ...string[]];

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
if (mode === "early") {
  // Gone in the turn in which the process was started: nobody has told of it yet.
  const prototype = ChildProcess.prototype as unknown as { spawn(...args: unknown[]): number };
  const { spawn } = prototype;
  prototype.spawn = function (...args) {
    const result = spawn.apply(this, args);
    console.log(JSON.stringify([{ pid: (this as unknown as { pid: number }).pid }]));
    queueMicrotask(() => process.exit(7));
    return result;
  };
  const client = new Client({ handshakeConfig, plugins: { kv }, cmd: [plugins[0]!], logger: nullLogger });
  void client.start().catch(() => {});
} else {
  const clients = plugins.map(
    (cmd) => new Client({ handshakeConfig, plugins: { kv }, cmd: [cmd], logger: nullLogger }),
  );
  const stores = await Promise.all(clients.map((client) => client.dispense("kv")));
  const calls = stores.map((store) => store.Hang(null));
  for (const call of calls) call.catch(() => {});
  await clients[0]!.ping();
  const started = clients.map((client) => ({ pid: client.pid, socket: client.address!.address }));
  process.stdout.write(`${JSON.stringify(started)}\n`, () => {
    switch (mode) {
      case "exit":
        process.exit(7);
        break;
      case "throw":
        throw new Error("nobody catches this");
      case "reject":
        void Promise.reject(new Error("nobody handles this"));
        break;
      case "handler":
        process.on("SIGTERM", () => process.exit(8));
        break;
      case "hook-after":
        installExitHook();
        break;
      case "hook-before":
      case "signal":
        break;
      default:
        process.exit(64);
    }
  });
}
