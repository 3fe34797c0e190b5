// A host whose plugin announces the address of its first argument, and that then ends in the way of its second.
import { Client, nullLogger } from "../../../src/index.js";
import { greeter, handshakeConfig } from "../../interop/support.js";

const [address, how] = process.argv.slice(2) as [string, string];
const client = new Client({
  handshakeConfig,
  plugins: { greeter },
  cmd: ["sh", "-c", `echo "1|1|unix|${address}|netrpc|"; exec sleep 60`],
  logger: nullLogger,
});
await client.start();
switch (how) {
  case "exit":
    process.exit(0);
    break;
  case "signal":
    process.kill(process.pid, "SIGTERM");
    break;
  case "connect":
    await client.ping().catch(() => {});
    await client.kill();
    break;
  default:
    await client.kill();
}
