// A store in memory, for any go-plugin host that speaks gRPC.
import { GrpcError, GrpcStatus, serve } from "goplug";
import { handshakeConfig, kv } from "./shared.ts";

const values = new Map<string, Uint8Array>();

await serve({
  handshakeConfig,
  plugins: {
    kv: kv.implement({
      put: ({ key, value }) => void values.set(key, value),
      get({ key }) {
        const value = values.get(key);
        if (value === undefined) throw new GrpcError(GrpcStatus.NOT_FOUND, `key not found: ${key}`);
        return { value };
      },
    }),
  },
});
