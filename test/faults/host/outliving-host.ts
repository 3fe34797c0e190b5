// Starts the plugin of its argument twice, one to outlive it, prints how to find both, and exits.
import { Client, nullLogger } from "../../../src/index.js";
import { handshakeConfig, kv } from "../../interop/support.js";

const base = {
  handshakeConfig,
  plugins: { kv },
  cmd: [process.argv[2]!] as const,
  logger: nullLogger,
};
const outliving = new Client({ ...base, killWithHost: false });
const ordinary = new Client(base);
await Promise.all([outliving.ping(), ordinary.ping()]);
const line = JSON.stringify({ config: await outliving.reattachConfig(), other: ordinary.pid });
process.stdout.write(line, () => process.exit(0));
