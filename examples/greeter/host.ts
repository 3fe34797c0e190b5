// Usage: host.ts COMMAND [ARGUMENTS...]: starts that plugin, whatever it is written in, and has it greet.
import { Client } from "goplug";
import { greeter, handshakeConfig } from "./shared.js";

const cmd = process.argv.slice(2) as [string, ...string[]];
await using client = new Client({ handshakeConfig, plugins: { greeter }, cmd });

const plugin = await client.dispense("greeter");
console.log("handshake:         ", Object.values(client.address!).join(" "));
console.log("protocol:          ", client.protocol);
console.log("negotiated version:", client.negotiatedVersion);
console.log("Greet():           ", await plugin.Greet(null));
