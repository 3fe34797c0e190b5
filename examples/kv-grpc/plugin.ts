// A store in memory, for any go-plugin host that speaks gRPC.
import { serve } from "goplug";
import { handshakeConfig, kv } from "./shared.js";

const values = new Map<string, Uint8Array>();

await serve({
  handshakeConfig,
  plugins: {
    kv: kv.implement({
      put: (key, value) => void values.set(key, value),
      get: (key) => values.get(key),
    }),
  },
});
