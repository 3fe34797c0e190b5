import type { PluginSet } from "../definition/plugin.js";
import { ENV, type Protocol } from "../protocol/constants.js";
import { chooseVersion, collectVersions, parseVersionList } from "../protocol/negotiate.js";
import { ServeError } from "./errors.js";
import type { ServeConfig } from "./serve-config.js";

/** What is served to this host. */
export interface Negotiated {
  readonly version: number;
  readonly plugins: PluginSet;
  readonly protocol: Protocol;
}

/**
 * Chooses the version (see {@link chooseVersion}), with its plugins and what they speak (server.go, protocolVersion).
 *
 * @param warn told of what the host has sent that is no version, in go-plugin's words
 * @throws ServeError ERR_SERVE_CONFIG; HandshakeError ERR_HANDSHAKE_CONFIG
 */
export function negotiate(
  config: Pick<ServeConfig, "handshakeConfig" | "plugins" | "versionedPlugins" | "grpcServer">,
  env: Readonly<Record<string, string | undefined>>,
  warn: (line: string) => void,
): Negotiated {
  const { handshakeConfig, plugins, versionedPlugins } = config;
  const sets = collectVersions(
    { protocolVersion: handshakeConfig.protocolVersion, plugins, versionedPlugins },
    "plugin",
  );
  const host = parseVersionList(env[ENV.protocolVersions]);
  for (const entry of host.invalid) warn(`server sent invalid plugin version ${JSON.stringify(entry)}\n`);
  const version = chooseVersion(sets.keys(), host.versions);
  const set = version === undefined ? undefined : sets.get(version);
  if (version === undefined || set === undefined) {
    throw new ServeError("ERR_SERVE_CONFIG", "serve needs plugins or versionedPlugins");
  }
  return { version, plugins: set, protocol: protocolOf(set, config) };
}

/** The first plugin stands for the set: all of it is served alike. */
function protocolOf(plugins: PluginSet, { grpcServer }: Pick<ServeConfig, "grpcServer">): Protocol {
  const first = Object.values(plugins)[0];
  if (first === undefined || !("grpcServer" in first)) return "netrpc";
  return grpcServer !== undefined || !("server" in first) ? "grpc" : "netrpc";
}
