// A host that makes one failing call, for what DEBUG prints of it.
import { Client, nullLogger } from "../../../src/index.js";
import { handshakeConfig, kv } from "../../interop/support.js";

const client = new Client({ handshakeConfig, plugins: { kv }, cmd: [process.argv[2]!], logger: nullLogger });
const store = await client.dispense("kv");
await store.Get("a").catch(() => {});
await client.kill();
