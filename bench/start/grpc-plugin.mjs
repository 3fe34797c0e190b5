// The store over gRPC, as small as a plugin can be, on the built library and protobuf-es's code.
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { protobufPlugin, serve } from "goplug";
import { KV } from "../../test/interop/plugins/dist/test/interop/gen/es/kv_pb.js";

const values = new Map();
const kv = protobufPlugin(KV, { create, fromBinary, toBinary }).implement({
  put: ({ key, value }) => void values.set(key, value),
  get: ({ key }) => ({ value: values.get(key) }),
});

void serve({
  handshakeConfig: { protocolVersion: 1, magicCookieKey: "BASIC_PLUGIN", magicCookieValue: "hello" },
  plugins: { kv },
});
