// A host whose plugin says on stderr what it reads from stdin; prints that.
import { Client, nullLogger, StartError } from "../../../src/index.js";
import { greeter, handshakeConfig } from "../../interop/support.js";

const cmd = ["/bin/sh", "-c", 'read line; echo "$line" >&2; exit 1'] as const;
const client = new Client({ handshakeConfig, plugins: { greeter }, cmd, logger: nullLogger });
try {
  await client.start();
} catch (error) {
  if (error instanceof StartError) process.stdout.write(error.stderrTail);
}
