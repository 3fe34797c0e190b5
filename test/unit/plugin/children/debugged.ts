// A plugin that its author starts by hand.
import { gob, grpcPlugin, netRpcPlugin, serve } from "../../../../src/index.js";

const handshakeConfig = { protocolVersion: 3, magicCookieKey: "BASIC_PLUGIN", magicCookieValue: "hello" };
const greeter = netRpcPlugin({ Greet: [gob.any, gob.string] }).implement({
  Greet: () => `from ${process.pid}`,
});
const empty = grpcPlugin({ client: () => "face", server: () => {} }).implement({});
const plugins = process.argv[2] === "grpc" ? { empty } : { greeter };

await serve({ handshakeConfig, plugins, debug: true });
