// Usage: host.mjs COMMAND [ARGUMENTS...]: the example counter in plain JavaScript, which has no `await using` on Node 20 and 22.
import { Client } from "goplug";
import { counter, handshakeConfig, helper } from "./shared.mjs";

const client = new Client({ handshakeConfig, plugins: { counter }, cmd: process.argv.slice(2) });
try {
  const numbers = await client.dispense("counter");
  const add = {
    Sum({ A, B }) {
      console.log(`the plugin asks for ${A} + ${B}`);
      return A + B;
    },
  };
  for (const Value of [40n, 2n]) {
    await numbers.Put({ Key: "answer", Value, AddServer: numbers.broker.serve(helper, add) });
  }
  console.log("Get(answer):", await numbers.Get("answer"));
} finally {
  await client.kill();
}
