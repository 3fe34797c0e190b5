import { HandshakeError } from "./errors.js";
import { parseGoInt } from "./parse-int.js";

/** The versions that a host listed, and the entries of its list that are none. */
export interface VersionList {
  readonly versions: readonly number[];
  /** Entries that are no integers; go-plugin reports each on stderr and goes on. */
  readonly invalid: readonly string[];
}

/** Reads `PLUGIN_PROTOCOL_VERSIONS`. Undefined or empty (a host from before negotiation) is an empty list. */
export function parseVersionList(text: string | undefined): VersionList {
  const versions: number[] = [];
  const invalid: string[] = [];
  if (text !== undefined && text !== "") {
    for (const entry of text.split(",")) {
      const parsed = parseGoInt(entry);
      if ("value" in parsed) versions.push(parsed.value);
      else invalid.push(entry);
    }
  }
  return { versions, invalid };
}

/**
 * The version that a plugin announces: the highest of its own that the host listed, else its lowest, so that a host
 * that sent no list gets the oldest set and any other host reports the mismatch (server.go, protocolVersion).
 * Undefined if the plugin has no version at all.
 */
export function chooseVersion(own: Iterable<number>, host: Iterable<number>): number | undefined {
  const descending = [...own].sort((a, b) => b - a);
  const listed = new Set(host);
  return descending.find((version) => listed.has(version)) ?? descending.at(-1);
}

/** The parts of a client's or plugin's configuration that carry plugin sets. */
export interface VersionedSets<Set> {
  /** The version of `plugins`; 0 if absent. */
  readonly protocolVersion?: number | undefined;
  readonly plugins?: Set | undefined;
  readonly versionedPlugins?: Readonly<Record<number, Set>> | undefined;
}

/**
 * All plugin sets by version, `plugins` counted as one more entry. Where `versionedPlugins` has that version already,
 * a host keeps the entry that exists and a plugin replaces it (client.go, Start; server.go, protocolVersion).
 */
export function collectVersions<Set>(sets: VersionedSets<Set>, side: "host" | "plugin"): Map<number, Set> {
  const all = new Map<number, Set>();
  for (const [version, set] of Object.entries(sets.versionedPlugins ?? {})) {
    const parsed = parseGoInt(version);
    if ("problem" in parsed) {
      throw new HandshakeError(
        "ERR_HANDSHAKE_CONFIG",
        `versionedPlugins has a key that is no version: ${version}`,
      );
    }
    all.set(parsed.value, set);
  }
  const version = sets.protocolVersion ?? 0;
  if (!Number.isSafeInteger(version)) {
    throw new HandshakeError("ERR_HANDSHAKE_CONFIG", `protocolVersion must be an integer: ${version}`);
  }
  if (sets.plugins !== undefined && (side === "plugin" || !all.has(version))) all.set(version, sets.plugins);
  return all;
}

/**
 * The host's check of the version that the plugin announced (client.go, checkProtoVersion).
 * @throws HandshakeError ERR_HANDSHAKE_APP_VERSION with go-plugin's text; own versions are listed in ascending order.
 */
export function checkAnnouncedVersion(announced: number, own: Iterable<number>): void {
  const versions = [...own].sort((a, b) => a - b);
  if (versions.includes(announced)) return;
  throw new HandshakeError(
    "ERR_HANDSHAKE_APP_VERSION",
    `incompatible API version with plugin. Plugin version: ${announced}, Client versions: [${versions.join(" ")}]`,
  );
}
