/** The version of the handshake itself, the first field of the line (server.go, CoreProtocolVersion). */
export const CORE_PROTOCOL_VERSION = 1;

/** The TCP port range that a host announces when its user names none (client.go, NewClient). */
export const DEFAULT_MIN_PORT = 10_000;
/** See {@link DEFAULT_MIN_PORT}. */
export const DEFAULT_MAX_PORT = 25_000;

/** Milliseconds that a host waits for the handshake line by default (client.go, StartTimeout). */
export const DEFAULT_START_TIMEOUT = 60_000;

/** The environment variables through which a host talks to the plugin that it starts. */
export const ENV = {
  /** Lowest TCP port that the plugin may listen on. */
  minPort: "PLUGIN_MIN_PORT",
  /** Highest TCP port that the plugin may listen on. */
  maxPort: "PLUGIN_MAX_PORT",
  /** Comma-separated app protocol versions that the host can use, in no promised order. */
  protocolVersions: "PLUGIN_PROTOCOL_VERSIONS",
  /** PEM of the host's one-time certificate; set with AutoMTLS only. */
  clientCert: "PLUGIN_CLIENT_CERT",
  /** `true` when the host wants gRPC broker multiplexing; absent otherwise. */
  multiplexGrpc: "PLUGIN_MULTIPLEX_GRPC",
  /** The directory in which the plugin must create its unix sockets. */
  unixSocketDir: "PLUGIN_UNIX_SOCKET_DIR",
  /** Name or number of the group that must be able to connect to the plugin's unix sockets. */
  unixSocketGroup: "PLUGIN_UNIX_SOCKET_GROUP",
  /** goplug's own: how a host that is being debugged attaches to a plugin that somebody has started (JSON). */
  reattach: "GOPLUG_REATTACH",
} as const;

/** The two protocols that a plugin can announce. */
export type Protocol = "netrpc" | "grpc";

/** The networks that a handshake line can name. */
export type Network = "unix" | "tcp";

/**
 * What host and plugin share to recognise each other (go-plugin's HandshakeConfig).
 * The cookie is no security measure: it lets a plugin that a person starts by hand explain itself.
 */
export interface HandshakeConfig {
  /** The app protocol version of `plugins`; not needed where only `versionedPlugins` is used. Default 0, as in Go. */
  readonly protocolVersion?: number;
  /** The name of the environment variable that holds the cookie, such as `BASIC_PLUGIN`. */
  readonly magicCookieKey: string;
  /** The value that variable must have. */
  readonly magicCookieValue: string;
}
