// The greeter with TLS settings from the environment, as go-fixtures/plugins/greeter-tls has them; --tcp: on TCP.
import { readFileSync } from "node:fs";
import { netRpcPlugin } from "../../../src/definition/net-rpc-plugin.js";
import * as gob from "../../../src/gob/index.js";
import { pluginLogger } from "../../../src/plugin/logger.js";
import { serve } from "../../../src/plugin/serve.js";
import { handshakeConfig } from "./serve-fixture.js";

const greeter = netRpcPlugin({ Greet: [gob.any, gob.string] });
const { GOPLUG_VERSIONS = "1", GOPLUG_TLS_CERT, GOPLUG_TLS_KEY, GOPLUG_TLS_CLIENT_CA } = process.env;

const versionedPlugins = Object.fromEntries(
  GOPLUG_VERSIONS.split(",").map((version) => [
    version,
    { greeter: greeter.implement({ Greet: () => `Hello from version ${version}!` }) },
  ]),
);

await serve({
  handshakeConfig: { ...handshakeConfig, protocolVersion: 0 },
  versionedPlugins,
  logger: pluginLogger({ name: "tls" }),
  ...(process.argv.includes("--tcp") && { network: "tcp" as const }),
  ...(GOPLUG_TLS_CERT &&
    GOPLUG_TLS_KEY && {
      tlsProvider: () => ({
        cert: readFileSync(GOPLUG_TLS_CERT),
        key: readFileSync(GOPLUG_TLS_KEY),
        ...(GOPLUG_TLS_CLIENT_CA && {
          ca: readFileSync(GOPLUG_TLS_CLIENT_CA),
          requestCert: true,
          rejectUnauthorized: true,
        }),
      }),
    }),
});
