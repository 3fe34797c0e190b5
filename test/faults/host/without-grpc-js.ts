// A host that asks for grpc-js's transport where that package is not installed; prints the code of the error.
import { register } from "node:module";

const hooks = `export function resolve(name, context, next) {
  if (name !== "@grpc/grpc-js") return next(name, context);
  throw Object.assign(new Error("Cannot find package '@grpc/grpc-js' imported from here"), { code: "ERR_MODULE_NOT_FOUND" });
}`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
const { Client, nullLogger } = await import("../../../src/index.js");
const client = new Client({
  handshakeConfig: { protocolVersion: 1, magicCookieKey: "K", magicCookieValue: "V" },
  plugins: { any: { client: () => 1, server: () => ({ methods: {}, receiver: {} }) } },
  cmd: ["sh", "-c", 'echo "1|1|unix|/nowhere|grpc|"; exec sleep 60'],
  allowedProtocols: ["grpc"],
  grpcTransport: "grpc-js",
  logger: nullLogger,
});
const error = await client.ping().catch((thrown: unknown) => thrown);
console.log((error as { code: string }).code, client.exited);
