// A gRPC plugin that is flooded; it says how it fares over IPC.
import * as protobuf from "@bufbuild/protobuf";
import { protobufPlugin, serve } from "../../../src/index.js";
import { KV } from "../../interop/gen/es/kv_pb.js";
import { Stream } from "../../interop/gen/es/stream_pb.js";
import { handshakeConfig } from "../../interop/support.js";

let lines = 0;
const logger = { trace() {}, debug() {}, info() {}, warn: () => void lines++, error: () => void lines++ };
const answer = new Uint8Array(1024);

const plugins = {
  kv: protobufPlugin(KV, protobuf).implement({ get: ({ key }) => ({ value: Buffer.from(key) }) }),
  stream: protobufPlugin(Stream, protobuf).implement({
    async *source() {
      for (;;) yield { data: answer };
    },
    async *mirror(chunks) {
      for await (const chunk of chunks) yield chunk;
    },
  }),
};

const [transport] = process.argv.slice(2) as ["goplug" | "grpc-js"];
void serve({
  handshakeConfig,
  plugins,
  logger,
  grpcTransport: transport,
  test: { onReattachConfig: ({ address }) => process.send!(address.address) },
});

process.on("message", () => process.send!({ rss: process.memoryUsage.rss(), lines }));
process.on("disconnect", () => process.exit());
