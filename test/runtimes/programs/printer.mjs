// Prints before it is served, and when it is told to.
import { gob, netRpcPlugin, serve } from "goplug";

console.log("before");
const printer = netRpcPlugin({ Print: [gob.string, gob.any] });
await serve({
  handshakeConfig: { protocolVersion: 1, magicCookieKey: "BASIC_PLUGIN", magicCookieValue: "hello" },
  plugins: {
    printer: printer.implement({
      Print(text) {
        console.log("out %s", text);
        console.error("err %s", text);
        return null;
      },
    }),
  },
});
