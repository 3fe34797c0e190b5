// A store in memory, for any go-plugin host that speaks net/rpc.
import { pluginLogger, serve } from "goplug";
import { handshakeConfig, type KV, kv } from "./shared.ts";

const logger = pluginLogger({ name: "kv" });
const values = new Map<string, Uint8Array>();

const store: KV = {
  put(key, value) {
    logger.debug("put", { key, bytes: value.length });
    values.set(key, value);
  },
  get(key) {
    const value = values.get(key);
    if (value === undefined) throw new Error(`key not found: ${key}`);
    return value;
  },
};

await serve({ handshakeConfig, plugins: { kv: kv.implement(store) } });
