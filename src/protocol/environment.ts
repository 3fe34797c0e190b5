import { DEFAULT_MAX_PORT, DEFAULT_MIN_PORT, ENV, type HandshakeConfig } from "./constants.js";

/** What a host tells the plugin that it is about to start. */
export interface PluginEnvironment {
  readonly handshakeConfig: HandshakeConfig;
  /** Every app protocol version that the host can use. */
  readonly versions: Iterable<number>;
  /** Default {@link DEFAULT_MIN_PORT}. */
  readonly minPort?: number | undefined;
  /** Default {@link DEFAULT_MAX_PORT}. */
  readonly maxPort?: number | undefined;
  /** PEM of the host's one-time certificate; given with AutoMTLS only. */
  readonly clientCert?: string | undefined;
  /** Default false. */
  readonly multiplexGrpc?: boolean | undefined;
  /** The directory that the plugin must put its sockets in; default: its own choice. */
  readonly unixSocketDir?: string | undefined;
  /** The group that gets access to the plugin's sockets; default: nobody but the owner. */
  readonly unixSocketGroup?: string | undefined;
}

/** The variables that a host adds to the plugin's environment (client.go, Start). */
export function pluginEnvironment(settings: PluginEnvironment): Record<string, string> {
  const { handshakeConfig, clientCert, multiplexGrpc, unixSocketDir, unixSocketGroup } = settings;
  return {
    [handshakeConfig.magicCookieKey]: handshakeConfig.magicCookieValue,
    [ENV.minPort]: String(settings.minPort ?? DEFAULT_MIN_PORT),
    [ENV.maxPort]: String(settings.maxPort ?? DEFAULT_MAX_PORT),
    [ENV.protocolVersions]: [...settings.versions].join(","),
    ...(multiplexGrpc === true && { [ENV.multiplexGrpc]: "true" }),
    ...(clientCert !== undefined && { [ENV.clientCert]: clientCert }),
    ...(unixSocketDir !== undefined && { [ENV.unixSocketDir]: unixSocketDir }),
    ...(unixSocketGroup !== undefined && { [ENV.unixSocketGroup]: unixSocketGroup }),
  };
}
