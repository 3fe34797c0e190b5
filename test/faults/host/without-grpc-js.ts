// A host that asks for grpc-js's transport where that package is not installed; prints the code of each error, and what became of the plugin.
import { register } from "node:module";

const hooks = `export function resolve(name, context, next) {
  if (name !== "@grpc/grpc-js") return next(name, context);
  throw Object.assign(new Error("Cannot find package '@grpc/grpc-js' imported from here"), { code: "ERR_MODULE_NOT_FOUND" });
}`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
const { Client, nullLogger } = await import("../../../src/index.js");
const common = {
  handshakeConfig: { protocolVersion: 1, magicCookieKey: "K", magicCookieValue: "V" },
  plugins: { any: { client: () => 1, server: () => ({ methods: {}, receiver: {} }) } },
  cmd: ["sh", "-c", 'echo "1|1|unix|/nowhere|grpc|"; exec sleep 60'],
  logger: nullLogger,
} as const;
for (const config of [
  { allowedProtocols: ["grpc"], grpcTransport: "grpc-js" },
  { allowedProtocols: ["grpc"], grpcChannelOptions: { "grpc.enable_channelz": 1 } },
  // It might have been a plugin over net/rpc.
  { allowedProtocols: ["netrpc", "grpc"], grpcTransport: "grpc-js" },
] as const) {
  const client = new Client({ ...common, ...config });
  const error = await client.ping().catch((thrown: unknown) => thrown);
  const end = client.id === "" ? "not started" : client.exited ? "ended" : "left";
  console.log((error as { code: string }).code, end);
}
