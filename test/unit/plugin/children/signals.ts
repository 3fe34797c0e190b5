// Listens on a unix socket with a plugin's signal manners, and reports what it gets on stderr.
import { jsonLogger } from "../../../../src/hclog/json-logger.js";
import { installSignals } from "../../../../src/plugin/signals.js";
import { openSocket } from "../../../../src/socket/open.js";

const listener = await openSocket();
const logger = jsonLogger({ write: (line) => void process.stderr.write(line) });
const remove = installSignals(logger, (signal) => {
  logger.info("stopping", { signal });
  remove();
  // The way out is process.exit without close: the socket file must go all the same.
  process.exit(0);
});
process.stdout.write(`${listener.address}\n`);
if (process.argv[2] === "throw") {
  setTimeout(() => {
    throw new Error("uncaught");
  }, 1);
}
