// A plugin that is told by GOPLUG_TEST how to behave; see serve.test.ts.
import "../../../../src/plugin/capture-entry.js";
import { setTimeout as sleep } from "node:timers/promises";
import { gob, netRpcPlugin } from "../../../../src/index.js";
import { pluginLogger } from "../../../../src/plugin/logger.js";
import { serve } from "../../../../src/plugin/serve.js";

const how = process.env.GOPLUG_TEST;
const handshakeConfig = { protocolVersion: 1, magicCookieKey: "BASIC_PLUGIN", magicCookieValue: "hello" };
const echo = netRpcPlugin({ Echo: [gob.string, gob.string] });
const abort = new AbortController();

/** Says what it is told to, and may then end the process. */
const plugins = (version: number) => ({
  echo: echo.implement({
    async Echo(text) {
      console.log(`${text} on stdout`);
      console.error(`${text} on stderr`);
      if (text === "exit") process.exit(7);
      if (text === "throw") {
        setImmediate(() => {
          throw new Error("thrown by the plugin");
        });
        await sleep(10_000);
      }
      if (text === "abort") abort.abort();
      return `${text} from version ${version}`;
    },
  }),
});

console.log("early stdout");
setInterval(() => {}, 1000);

const log = pluginLogger({ name: "serve-test" });
const rest = { signal: abort.signal, ...(how === "stay" && { exit: false }) };
if (how === "versioned") {
  await serve({ handshakeConfig, versionedPlugins: { 2: plugins(2), 5: plugins(5) } });
} else if (how === "outlive") {
  await serve({ handshakeConfig, plugins: plugins(1), endWhenOrphaned: false });
} else if (how === "empty") {
  await serve({ handshakeConfig });
} else if (how === "twice") {
  const first = serve({ handshakeConfig, plugins: plugins(1) });
  await serve({ handshakeConfig, plugins: plugins(1) }).catch((error: { code: string }) =>
    log.error(error.code),
  );
  await first;
} else if (how === "long-path") {
  await serve({ handshakeConfig, plugins: plugins(1), exit: false }).catch((error: Error) => {
    console.error(`caught ${error.name} ${(error as Error & { code: string }).code}`);
    process.exit(4);
  });
} else {
  await serve({ handshakeConfig, plugins: plugins(1), ...rest });
}
log.info("serve has returned");
console.log("stdout is our own again");
process.exit(5);
