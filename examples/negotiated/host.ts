// Usage: host.ts COMMAND [ARGUMENTS...]: a host of both versions, then an old one, with the same plugin.
import { Client } from "goplug";
import { handshakeConfig, version2, version3 } from "./shared.ts";

const cmd = process.argv.slice(2) as [string, ...string[]];
const allowedProtocols = ["netrpc", "grpc"] as const;

for (const versionedPlugins of [{ 2: { kv: version2 }, 3: { kv: version3 } }, { 2: { kv: version2 } }]) {
  const client = new Client({ handshakeConfig, versionedPlugins, cmd, allowedProtocols });
  try {
    const store = await client.dispense("kv");
    await store.put("greeting", Buffer.from("Hello"));
    const value = Buffer.from(await store.get("greeting")).toString();
    console.log(`version ${client.negotiatedVersion} over ${client.protocol}:`, value);
  } finally {
    await client.kill();
  }
}
