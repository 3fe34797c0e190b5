// A plugin as one runs it without a go-plugin host: on a TCP port of the system's choice, ended by SIGINT.
import * as protobuf from "@bufbuild/protobuf";
import { pluginLogger, protobufPlugin, serve } from "../../../../src/index.js";
import { Stream } from "../../../interop/gen/es/stream_pb.js";

const log = pluginLogger({ name: "standalone" });
const stream = protobufPlugin(Stream, protobuf).implement({
  async sink(chunks) {
    let bytes = 0n;
    for await (const { data } of chunks) {
      bytes += BigInt(data.length);
      log.info("got a chunk");
    }
    return { bytes };
  },
  source: async function* ({ bytes }) {
    yield { data: new Uint8Array(Number(bytes)) };
  },
});
await serve({
  handshakeConfig: { protocolVersion: 1, magicCookieKey: "BASIC_PLUGIN", magicCookieValue: "hello" },
  plugins: { stream },
  network: "tcp",
  port: 0,
  stopOnInterrupt: true,
  exit: false,
  grpcServer: {
    options: { "grpc.max_receive_message_length": 100_000, "grpc.max_send_message_length": 100_000 },
  },
  onServing: ({ network, address }) =>
    log.info("serving", {
      network,
      address,
      inherited: Object.keys(process.env).filter((name) => /^PLUGIN_M.._PORT$/.test(name)),
    }),
});
log.info("serve has returned");
process.exit(3);
