// Usage: host.ts COMMAND [ARGUMENTS...]: what the plugin prints comes out of this process.
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "goplug";
import { handshakeConfig, stdio } from "./shared.ts";

const cmd = process.argv.slice(2) as [string, ...string[]];
const { stdout: syncStdout, stderr: syncStderr } = process;
const client = new Client({ handshakeConfig, plugins: { stdio }, cmd, syncStdout, syncStderr });
try {
  const printer = await client.dispense("stdio");
  await printer.Print("the plugin's stdout\n");
  await printer.PrintErr("the plugin's stderr\n");
  await sleep(50); // the output is on its way beside the answer
} finally {
  await client.kill();
}
