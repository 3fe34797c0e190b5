// Logs many lines in a call, and ends as its argument says.
import { gob, netRpcPlugin, pluginLogger, serve } from "../../../src/index.js";

const log = pluginLogger();
const talker = netRpcPlugin({ Talk: [gob.struct({ Lines: gob.int, Way: gob.string }), gob.any] });

await serve({
  handshakeConfig: { protocolVersion: 1, magicCookieKey: "BASIC_PLUGIN", magicCookieValue: "hello" },
  plugins: {
    talker: talker.implement({
      Talk({ Lines, Way }) {
        for (let n = 0; n < Lines; n++) log.info(`line ${n}`, { text: "x".repeat(150) });
        log.error("last words");
        if (Way === "exit") process.exit(3);
        if (Way === "throw") {
          setImmediate(() => {
            throw new Error("uncaught");
          });
          return new Promise<never>(() => {});
        }
        return null;
      },
    }),
  },
});
