// Usage: host.ts COMMAND [ARGUMENTS...]: starts that plugin, whatever it is written in, and has it greet.
import { Client } from "goplug";
import { greeter, handshakeConfig } from "./shared.ts";

const cmd = process.argv.slice(2) as [string, ...string[]];
const client = new Client({ handshakeConfig, plugins: { greeter }, cmd });
try {
  const plugin = await client.dispense("greeter");
  console.log("handshake:         ", Object.values(client.address!).join(" "));
  console.log("protocol:          ", client.protocol);
  console.log("negotiated version:", client.negotiatedVersion);
  console.log("Greet():           ", await plugin.Greet(null));
} finally {
  await client.kill();
}
