import type { TlsOptions } from "node:tls";
import type { PluginSet } from "../definition/plugin.js";
import type { GrpcTransport } from "../grpc/connection.js";
import type { GrpcServeOptions } from "../grpc/plugin-end.js";
import type { Logger } from "../hclog/logger.js";
import type { ServerLimits } from "../netrpc/index.js";
import type { HandshakeConfig, Network, Protocol } from "../protocol/constants.js";
import type { SocketAddress } from "../socket/address.js";

/** Where a plugin in test mode can be reached: what a host takes as `reattach` (go-plugin: ReattachConfig). */
export interface TestReattachConfig {
  /** What the plugin speaks. */
  readonly protocol: Protocol;
  /** The app protocol version of the set that is served. */
  readonly protocolVersion: number;
  /** Where it listens. */
  readonly address: SocketAddress;
  /** The test's own process: a host in test mode does not signal it. */
  readonly pid: number;
  /** Hosts only disconnect: they do not end the process. */
  readonly test: true;
}

/** How a plugin is served inside of a test (go-plugin: ServeTestConfig). */
export interface ServeTestConfig {
  /** Called once, when hosts can connect. */
  readonly onReattachConfig?: (config: TestReattachConfig) => void;
  /** Whether stdout and stderr are copied to the hosts, beside going where they go. Default false. */
  readonly syncStdio?: boolean;
}

/** What a plugin serves, and how (go-plugin: ServeConfig); `maxUnansweredBytes` is of plugins in net/rpc mode. */
export interface ServeConfig extends ServerLimits {
  /** Shared with the hosts: the cookie, and the version of `plugins`. */
  readonly handshakeConfig: HandshakeConfig;
  /** The plugins by name, at the version that `handshakeConfig` names. */
  readonly plugins?: PluginSet;
  /** Plugins by app protocol version; the highest that the host has, too, is served. */
  readonly versionedPlugins?: Readonly<Record<number, PluginSet>>;
  /** Where goplug logs. Default: hclog's JSON lines on the process's real stderr, which hosts log at their level. */
  readonly logger?: Logger;
  /** The kind of socket. Default: `unix`, on Windows `tcp` (127.0.0.1, in the range of ports that the host names). */
  readonly network?: Network;
  /**
   * The port of a plugin on `tcp`, whatever range the host names; 0: any that the system gives. Default: the first
   * free one of the host's range, and any where no host names one.
   */
  readonly port?: number;
  /** Called once, when hosts can connect: where the plugin listens, such as `127.0.0.1:40123`. */
  readonly onServing?: (where: SocketAddress) => void;
  /**
   * Makes the TLS configuration of the plugin's connections (go-plugin: TLSProvider). Default: AutoMTLS with hosts
   * that ask for it, whose one-time certificate alone is then accepted; no TLS with others.
   */
  readonly tlsProvider?: () => TlsOptions | Promise<TlsOptions>;
  /**
   * How gRPC is served (go-plugin: GRPCServer). The first plugin of the negotiated set decides for the whole set:
   *
   * - it has a gRPC side alone: gRPC, whether or not this option is given;
   * - it has both sides: gRPC if this option is given, else net/rpc (as in go-plugin);
   * - it has a net/rpc side alone: net/rpc.
   */
  readonly grpcServer?: GrpcServeOptions | true;
  /**
   * Who speaks HTTP/2 under grpc-js's API: goplug itself, or grpc-js over Node's http2. Default: goplug, unless
   * `grpcServer.options` has an option that only grpc-js understands (the log then says so).
   */
  readonly grpcTransport?: GrpcTransport;
  /**
   * Whether the plugin ends when its host is gone: its parent process has changed and there has been no connection
   * for 10 s. Default true. Turn it off for plugins that are to be reattached to later.
   */
  readonly endWhenOrphaned?: boolean;
  /**
   * Whether the process exits when serving is over, with `process.exitCode` or 0, whatever timers and sockets are
   * still open. Default true: a host kills a plugin that stays for 2 s. With false, `serve` returns and the rest
   * is up to the caller.
   */
  readonly exit?: boolean;
  /**
   * Whether SIGINT ends the serving as SIGTERM does. Default false, as in go-plugin: a terminal's Ctrl-C goes to host and
   * plugin alike, and it is the host that decides. Turn it on for plugins that something else than go-plugin runs.
   */
  readonly stopOnInterrupt?: boolean;
  /**
   * For the plugin's author: a process that no host started does not refuse to run, but serves, prints how hosts attach to
   * it (`GOPLUG_REATTACH`, and the JSON that Go's hosts read), and waits until SIGINT or SIGTERM. Neither side's standing
   * still at a breakpoint ends a connection. A process that a host started serves as ever. Default: false.
   */
  readonly debug?: boolean;
  /** Ends the serving when it fires, as SIGTERM does. */
  readonly signal?: AbortSignal;
  /**
   * Test mode: the plugin runs inside of a test's process, which stays what it is. There is no cookie and no handshake
   * line, signals and the parent are left alone, and `serve` returns when `signal` fires or a host calls Quit.
   */
  readonly test?: ServeTestConfig;
}
