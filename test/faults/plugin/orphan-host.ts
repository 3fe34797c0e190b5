// Starts the plugin that its argument names and prints its pid and handshake line; then it waits to be killed.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const script = fileURLToPath(new URL("../../unit/plugin/children/serve.ts", import.meta.url));
const plugin = spawn(process.execPath, ["--import", "tsx", script], {
  // The plugin's stderr goes down with this process, as a host's pipe does.
  stdio: ["ignore", "pipe", "pipe"],
  env: { ...process.env, GOPLUG_TEST: process.argv[2], BASIC_PLUGIN: "hello", PLUGIN_MIN_PORT: "10000" },
});
plugin.stdout.once("data", (line: Buffer) => {
  process.stdout.write(`${plugin.pid} ${line}`);
});
setInterval(() => {}, 1000);
