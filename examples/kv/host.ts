// Usage: host.ts COMMAND [ARGUMENTS...]: keeps a value in that plugin, and asks for one that is not there.
import { Client, RemoteError } from "goplug";
import { handshakeConfig, kv } from "./shared.ts";

const cmd = process.argv.slice(2) as [string, ...string[]];
const client = new Client({ handshakeConfig, plugins: { kv }, cmd });
try {
  const store = await client.dispense("kv");
  await store.put("greeting", Buffer.from("Hello from Node"));
  console.log("Get(greeting):", Buffer.from(await store.get("greeting")).toString());
  try {
    await store.get("nothing");
  } catch (error) {
    if (!(error instanceof RemoteError)) throw error;
    console.log("Get(nothing): ", `${error.name}: ${error.message}`);
  }
} finally {
  await client.kill();
}
