import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Logger } from "../hclog/logger.js";
import { ENV } from "../protocol/constants.js";
import type { PluginTls } from "../tls/plugin-options.js";
import type { ServeConfig } from "./serve-config.js";

/** What stands between a plugin's socket and what it serves. */
export interface Security {
  /** The DER bytes of the one-time certificate that the handshake line announces; only with AutoMTLS. */
  readonly announce?: Buffer | undefined;
  /** What a server needs that secures its connections itself; undefined without TLS. */
  readonly tls?: PluginTls | undefined;
  /** What the socket's connections go to; those that come through go on to `accept`. */
  gate(accept: (connection: Duplex) => void): (socket: Socket) => void;
}

const none: Security = { gate: (accept) => accept };

/**
 * The plugin's own TLS, AutoMTLS if the host asks for it, or none (server.go, Serve).
 * @throws TlsError ERR_TLS_CERTIFICATE; what the provider throws
 */
export async function prepareSecurity(config: ServeConfig, logger: Logger): Promise<Security> {
  const provider = config.tlsProvider;
  const clientCert = process.env[ENV.clientCert];
  if (provider === undefined && !clientCert) return none;
  if (provider === undefined) logger.debug("configuring server automatic mTLS");
  // Loaded here only: most plugins do without TLS, and should not pay for it when they start.
  const [{ pluginTls }, { tlsAcceptor }] = await Promise.all([
    import("../tls/plugin-options.js"),
    import("../tls/accept.js"),
  ]);
  const tls = await pluginTls({ provider, clientCert });
  if (tls === undefined) return none;
  const refused = (error: Error): void => logger.warn("plugin: connection refused", { error });
  return { announce: tls.announce, tls, gate: (secured) => tlsAcceptor(tls, { secured, refused }) };
}
