// The store over net/rpc, as small as a plugin can be, on the built library.
import { gob, netRpcPlugin, serve } from "goplug";

const values = new Map();
const kv = netRpcPlugin({
  Put: [gob.map(gob.string, gob.any), gob.any],
  Get: [gob.string, gob.bytes],
}).implement({
  Put(args) {
    values.set(args.get("key"), args.get("value"));
    return null;
  },
  Get: (key) => values.get(key),
});

await serve({
  handshakeConfig: { protocolVersion: 1, magicCookieKey: "BASIC_PLUGIN", magicCookieValue: "hello" },
  plugins: { kv },
});
