// The store over gRPC, as small as a plugin can be, on the built library and ts-proto's code.
import { grpcPlugin, serve } from "goplug";
import { KVService } from "../../test/interop/plugins/dist/test/interop/gen/kv.js";

const values = new Map();
const kv = grpcPlugin({
  client: () => undefined,
  server: ({ server, impl }) => server.addService(KVService, impl),
}).implement({
  put({ request: { key, value } }, answer) {
    values.set(key, value);
    answer(null, {});
  },
  get: ({ request: { key } }, answer) => answer(null, { value: values.get(key) }),
});

await serve({
  handshakeConfig: { protocolVersion: 1, magicCookieKey: "BASIC_PLUGIN", magicCookieValue: "hello" },
  plugins: { kv },
});
