// A host that starts the plugin of its first argument, prints its pid, and is gone without a word to it.
import { nullLogger } from "../../src/hclog/logger.js";
import { Client } from "../../src/index.js";
import { handshakeConfig, kv } from "./support.js";

const client = new Client({ handshakeConfig, plugins: { kv }, cmd: [process.argv[2]!], logger: nullLogger });
await client.dispense("kv");
console.log(client.id);
process.exit(7);
