// Usage: host.ts COMMAND [ARGUMENTS...]: keeps a value in that plugin, and asks for one that is not there.
import { Client } from "goplug";
import { handshakeConfig, kv } from "./shared.ts";

const cmd = process.argv.slice(2) as [string, ...string[]];
const client = new Client({ handshakeConfig, plugins: { kv }, cmd, allowedProtocols: ["grpc"] });
try {
  const store = await client.dispense("kv");
  await store.put({ key: "greeting", value: Buffer.from("Hello from Node") });
  const { value } = await store.get({ key: "greeting" });
  console.log("Get(greeting):", Buffer.from(value).toString());
  try {
    await store.get({ key: "nothing" });
  } catch (error) {
    console.log("Get(nothing): ", (error as Error).message);
  }
} finally {
  await client.kill();
}
