import type { Writable } from "node:stream";
import type { ChannelOptions } from "@grpc/grpc-js";
import type { PluginSet } from "../definition/plugin.js";
import type { GrpcTransport } from "../grpc/connection.js";
import type { Level, Logger } from "../hclog/logger.js";
import { timeLimit } from "../options.js";
import type { SecureConfig } from "../process/checksum.js";
import type { Command } from "../process/command-runner.js";
import type { AttachedRunner, Runner } from "../process/runner.js";
import { DEFAULT_START_TIMEOUT, type HandshakeConfig, type Protocol } from "../protocol/constants.js";
import type { SocketAddress } from "../socket/address.js";
import type { HostTlsConfig } from "../tls/host-options.js";

/** How loudly the end of a plugin's process is logged. */
export interface ExitLogLevel {
  /** For exit code 0. Default: info. */
  readonly success?: Level | "off";
  /** For other codes, and signals (SIGKILL, where the host itself has ended a plugin that did not go). Default: warn. */
  readonly failure?: Level | "off";
}

/** The command that starts a plugin. */
export interface PluginCommand {
  /** The executable: a path (from `cwd`, where it is relative), or a name that is looked up in the host's PATH. */
  readonly path: string;
  /** Its arguments, as they are: there is no shell. Default: none. */
  readonly args?: readonly string[];
  /** Variables added to the host's environment (or to none, with `skipHostEnv`); they win over the host's. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Default: the host's. */
  readonly cwd?: string;
}

/**
 * How to attach to a plugin that runs already (go-plugin: ReattachConfig). `Client.reattachConfig()` gives one, and
 * it is plain data unless it holds a runner.
 */
export interface ReattachConfig {
  /** Default: netrpc. */
  readonly protocol?: Protocol;
  /** The app protocol version that was negotiated: picks the set of `versionedPlugins`. Default: `plugins`. */
  readonly protocolVersion?: number;
  /** Where the plugin listens. */
  readonly address: SocketAddress;
  /** The plugin's process. It or `runner` must be given, except in test mode. */
  readonly pid?: number;
  /** Tells the process from a later one with the same pid, where the system says it. */
  readonly startTime?: string;
  /** Attaches to something other than a plain process. */
  readonly runner?: () => AttachedRunner | Promise<AttachedRunner>;
  /** The plugin runs in test mode: it ends by itself, and `kill` only disconnects. */
  readonly test?: boolean;
}

/** Options for the unix sockets that plugin and host make (go-plugin: UnixSocketConfig). */
export interface UnixSocketConfig {
  /** The group (name or number) that may connect to the plugin's sockets. Default: the owner alone. */
  readonly group?: string;
  /** Where the private folder for the plugin's sockets is made. Default: the system's temporary folder. */
  readonly tempDir?: string;
}

/** What a custom runner gets beside the command. */
export interface RunnerContext {
  /** The host's logger. */
  readonly logger: Logger;
  /** The folder in which the plugin makes its sockets: private, removed at the end (PLUGIN_UNIX_SOCKET_DIR). */
  readonly socketDir: string;
}

/** Makes a runner of a complete command; without `cmd` the command's path is empty (go-plugin: RunnerFunc). */
export type RunnerFunc = (command: Command, context: RunnerContext) => Runner | Promise<Runner>;

/** Milliseconds that a plugin may take to start, and to connect. @throws OptionError */
export function startTimeoutOf({
  startTimeout,
  debug,
}: Pick<ClientConfig, "startTimeout" | "debug">): number {
  return timeLimit("startTimeout", startTimeout, debug === true ? Infinity : DEFAULT_START_TIMEOUT);
}

/**
 * The configuration of a {@link Client} (go-plugin: ClientConfig). Times are milliseconds. Exactly one of `cmd`,
 * `reattach` and `runner` says where the plugin comes from; a runner may be given `cmd` too, for it to read.
 */
export interface ClientConfig<P extends PluginSet = PluginSet> {
  /** The same as the plugin's: cookie, and the version of `plugins`. */
  readonly handshakeConfig: HandshakeConfig;
  /** The plugin types of version `handshakeConfig.protocolVersion`. */
  readonly plugins?: P;
  /** The plugin types of each version that the host can use. */
  readonly versionedPlugins?: Readonly<Record<number, P>>;
  /** The command as a list (executable, then arguments) or as an object. */
  readonly cmd?: readonly string[] | PluginCommand;
  /** Attach to a plugin that runs already. */
  readonly reattach?: ReattachConfig;
  /** Launch the plugin in another way: in a container, on another machine. */
  readonly runner?: RunnerFunc;
  /**
   * Check the executable before it is started. With `pinned` what was checked is what is started: a private copy, so
   * that nobody can replace the file in between. Not with `reattach`.
   */
  readonly secureConfig?: SecureConfig & {
    /** Start a private copy of what was checked. Default: false. */
    readonly pinned?: boolean;
  };
  /** Speak TLS with these options. Not with `autoMTLS`. */
  readonly tlsConfig?: HostTlsConfig;
  /** Speak TLS with one-time certificates on both sides. Not with `reattach`. Default: false. */
  readonly autoMTLS?: boolean;
  /** The protocols that the plugin may announce. Default: net/rpc only, as in go-plugin. */
  readonly allowedProtocols?: readonly Protocol[];
  /**
   * Whether the connections of the gRPC broker go through the one connection to the plugin, which must support it
   * (go-plugin since v1.6.0). Not with `reattach`. Default: false, each has a socket of its own.
   */
  readonly grpcBrokerMultiplex?: boolean;
  /** Options of the gRPC channels to the plugin, on top of goplug's own (go-plugin: GRPCDialOptions). */
  readonly grpcChannelOptions?: ChannelOptions;
  /**
   * Who speaks HTTP/2 under grpc-js's API: goplug itself, or grpc-js over Node's http2. Default: goplug, unless
   * `grpcChannelOptions` has an option that only grpc-js understands (the log then says so).
   */
  readonly grpcTransport?: GrpcTransport;
  /** Whether `cleanupClients()` ends this client. Default: false. */
  readonly managed?: boolean;
  /**
   * Whether the plugin is killed when the host's process ends without having ended it. Default: true. Turn it off for
   * plugins that are to be reattached to by a later host.
   */
  readonly killWithHost?: boolean;
  /**
   * Whether that holds, too, for ends that the host cannot see (SIGKILL, a crash, the termination of its worker
   * thread): a small process, one for all plugins, then outlives the host by a moment. Default: true. Not on Windows,
   * where children end with their parent anyway, and not where there is no /bin/sh.
   */
  readonly watchdog?: boolean;
  /**
   * How long the plugin may take until it has printed its handshake line, and then to connect. Default, and 0: 60,000;
   * Infinity: no limit.
   */
  readonly startTimeout?: number;
  /**
   * Milliseconds after which a call over net/rpc that has had no answer is logged, once for each method, with what may
   * be the cause. Default, and 0: 10,000; Infinity: never.
   */
  readonly unansweredWarning?: number;
  /**
   * For authors, with host or plugin under a debugger: the start, brokered connections and standing still at a breakpoint
   * have no limit (but those of calls), and where the variable GOPLUG_REATTACH holds what a plugin served with
   * `debug: true` has printed, the client attaches to that one instead of starting its own. Default: false.
   */
  readonly debug?: boolean;
  /** Takes a raw copy of the process's stderr (its log). Never ended by the client. */
  readonly stderr?: Writable;
  /** Takes what the plugin writes to stdout once it is connected. Default: dropped. Never ended by the client. */
  readonly syncStdout?: Writable;
  /** Takes what the plugin writes to stderr once it is connected. Default: dropped. Never ended by the client. */
  readonly syncStderr?: Writable;
  /** Takes the host's own messages and the plugin's log lines. Default: to stderr, level from GOPLUG_LOG, else `info`. */
  readonly logger?: Logger;
  /** How loudly the end of the plugin's process is logged. Default: info after exit code 0, else warn. */
  readonly exitLogLevel?: ExitLogLevel;
  /** Longest stderr line that is logged as one, in bytes; longer ones come in pieces. Default: 65,536. */
  readonly pluginLogBufferSize?: number;
  /** Start the plugin with nothing of the host's environment. Default: false. */
  readonly skipHostEnv?: boolean;
  /**
   * Where the plugin makes its unix sockets. Given (even empty), they are in a private folder (0700) that the host
   * removes; by default, as in go-plugin, the plugin puts them into the temporary folder itself.
   */
  readonly unixSocketConfig?: UnixSocketConfig;
  /** The TCP ports that a plugin may listen on, if it prefers TCP. Default: 10,000 to 25,000. */
  readonly minPort?: number;
  /** The highest such port; see `minPort`. */
  readonly maxPort?: number;
}
