import type { Writable } from "node:stream";
import type { PluginSet } from "../definition/plugin.js";
import type { Logger } from "../hclog/logger.js";
import type { HandshakeConfig, Protocol } from "../protocol/constants.js";

/** The command that starts a plugin. */
export interface PluginCommand {
  /** The executable: a path, or a name that is looked up in PATH. */
  readonly path: string;
  readonly args?: readonly string[];
  /** Variables added to the host's environment (or to none, with `skipHostEnv`); they win over the host's. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Default: the host's. */
  readonly cwd?: string;
}

/** The configuration of a {@link Client} (go-plugin: ClientConfig). Times are milliseconds. */
export interface ClientConfig<P extends PluginSet = PluginSet> {
  readonly handshakeConfig: HandshakeConfig;
  /** The plugin types of version `handshakeConfig.protocolVersion`. */
  readonly plugins?: P;
  /** The plugin types of each version that the host can use. */
  readonly versionedPlugins?: Readonly<Record<number, P>>;
  /** The command as a list (executable, then arguments) or as an object. */
  readonly cmd: readonly [string, ...string[]] | PluginCommand;
  /** The protocols that the plugin may announce. Default: net/rpc only, as in go-plugin. */
  readonly allowedProtocols?: readonly Protocol[];
  /** How long the plugin may take until it has printed its handshake line and can be connected to. Default: 60,000. */
  readonly startTimeout?: number;
  /** Takes a raw copy of the process's stderr (its log). Never ended by the client. */
  readonly stderr?: Writable;
  /** Takes what the plugin writes to stdout once it is connected. Default: dropped. Never ended by the client. */
  readonly syncStdout?: Writable;
  /** Takes what the plugin writes to stderr once it is connected. Default: dropped. Never ended by the client. */
  readonly syncStderr?: Writable;
  /** Takes the host's own messages and the plugin's log lines. Default: to stderr, level from GOPLUG_LOG, else `info`. */
  readonly logger?: Logger;
  /** Longest stderr line that is logged as one, in bytes; longer ones come in pieces. Default: 65,536. */
  readonly pluginLogBufferSize?: number;
  /** Start the plugin with nothing of the host's environment. Default: false. */
  readonly skipHostEnv?: boolean;
  /** The TCP ports that a plugin may listen on, if it prefers TCP. Default: 10,000 to 25,000. */
  readonly minPort?: number;
  readonly maxPort?: number;
}
