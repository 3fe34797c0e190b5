// A host whose user's code fails in the way that the first argument names, while the plugin of the second prints, logs
// and ends. It must live through it all: then it prints "survived".
import { Writable } from "node:stream";
import { Client, type Logger, nullLogger } from "../../../src/index.js";
import { handshakeConfig, kv, until } from "../../interop/support.js";

const [mode, cmd] = process.argv.slice(2) as [string, string];

const fail = (): never => {
  throw new Error("thrown by the host's own code");
};
const throwing: Logger = { trace: fail, debug: fail, info: fail, warn: fail, error: fail, named: fail };
const failing = (): Writable =>
  new Writable({ write: (_chunk, _encoding, done) => setImmediate(done, new Error("disk full")) });

const configs: Readonly<Record<string, object>> = {
  "logger throws": { logger: throwing },
  "syncStdout fails": { logger: nullLogger, syncStdout: failing() },
  "syncStderr throws": { logger: nullLogger, syncStderr: new Writable({ write: fail }) },
  "stderr fails": { logger: nullLogger, stderr: failing() },
  "syncStdout is process.stderr without a reader": { logger: nullLogger, syncStdout: process.stderr },
  "stderr without a reader": {},
};

const client = new Client({ handshakeConfig, plugins: { kv }, cmd: [cmd], ...configs[mode]! });
const store = await client.dispense("kv");
for (let i = 0; i < 3; i++) {
  await store.WriteStdout(100_000);
  await store.WriteStderr(100_000);
  await store.LogAll("text");
  await store.RawStderr("[ERROR] text\n".repeat(1000));
}
await store.Crash("the plugin's end").catch(() => {});
await until("the end of the plugin", () => client.exited);
await client.kill();
await new Promise((resolve) => setTimeout(resolve, 50));
process.stdout.write("survived\n");
