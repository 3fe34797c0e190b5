// A host that attaches to the plugin of its argument, prints a value, and ends the plugin.
import { Client, nullLogger, type ReattachConfig } from "../../../src/index.js";
import { handshakeConfig, kv } from "../../interop/support.js";

const reattach = JSON.parse(process.argv[2]!) as ReattachConfig;
await using client = new Client({ handshakeConfig, plugins: { kv }, reattach, logger: nullLogger });
console.log((await (await client.dispense("kv")).Get("k")).toString());
