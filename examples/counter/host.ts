// Usage: host.ts COMMAND [ARGUMENTS...]: the plugin calls back into this process while it answers.
import { Client } from "goplug";
import { counter, handshakeConfig } from "./shared.ts";

const cmd = process.argv.slice(2) as [string, ...string[]];
const client = new Client({ handshakeConfig, plugins: { counter }, cmd });
try {
  const numbers = await client.dispense("counter");
  const add = (a: bigint, b: bigint): bigint => {
    console.log(`the plugin asks for ${a} + ${b}`);
    return a + b;
  };
  await numbers.put("answer", 40n, add);
  await numbers.put("answer", 2n, add);
  console.log("Get(answer):", await numbers.get("answer"));
} finally {
  await client.kill();
}
