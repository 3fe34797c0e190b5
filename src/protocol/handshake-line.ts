import { CORE_PROTOCOL_VERSION, type Network } from "./constants.js";
import { HandshakeError } from "./errors.js";
import { checkAnnouncedVersion } from "./negotiate.js";
import { parseBool } from "./parse-bool.js";
import { parseGoInt } from "./parse-int.js";

/** What a plugin announces on the first line of its stdout. */
export interface HandshakeLine {
  /** The version of the handshake itself: 1. */
  readonly coreVersion: number;
  /** The app protocol version that the plugin chose. */
  readonly appVersion: number;
  readonly network: Network;
  /** A socket path (unix), or `host:port` (tcp). */
  readonly address: string;
  /** `netrpc` or `grpc`; any other text if the caller of the parser named no allowed protocols. */
  readonly protocol: string;
  /** The DER bytes of the plugin's one-time certificate; only with AutoMTLS. */
  readonly serverCert?: Buffer;
  /** Whether the plugin offers gRPC broker multiplexing; undefined if it says nothing (or nothing legible). */
  readonly mux: boolean | undefined;
}

/** What a host expects of the line. Each check is left out if its field is. */
export interface HandshakeExpectations {
  /** The app versions that the host can use. */
  readonly versions?: Iterable<number>;
  /** The protocols that the host speaks. */
  readonly allowedProtocols?: readonly string[];
  /** Whether the host wants gRPC broker multiplexing (checked for plugins that announce grpc). */
  readonly multiplexGrpc?: boolean;
}

/** A sixth field of at most so many characters is something that old plugins printed there, not a certificate. */
const LONGEST_EXTRA = 50;

const NO_MULTIPLEXING = "client requested gRPC broker multiplexing but plugin does not support the feature";

/**
 * Reads a handshake line, `CORE|APP|NETWORK|ADDRESS[|PROTOCOL[|CERTIFICATE[|MUX]]]`, with go-plugin's rules, texts
 * and order of checks (client.go, Start): a line that is wrong in two ways is refused for the same one.
 * @throws HandshakeError
 */
export function parseHandshakeLine(line: string, expected: HandshakeExpectations = {}): HandshakeLine {
  const trimmed = line.trim();
  const fields = trimmed.split("|");
  const [core, app, networkName, address, protocol = "netrpc", certificate = "", muxText] = fields;
  if (core === undefined || app === undefined || networkName === undefined || address === undefined) {
    throw new HandshakeError("ERR_HANDSHAKE_LINE", `Unrecognized remote plugin message: ${excerpt(trimmed)}`);
  }
  checkCoreVersion(core);
  const appVersion = readAppVersion(app, expected.versions);
  const network = checkAddress(networkName, address);
  if (expected.allowedProtocols !== undefined && !expected.allowedProtocols.includes(protocol)) {
    throw new HandshakeError(
      "ERR_HANDSHAKE_PROTOCOL",
      `unsupported plugin protocol ${quote(protocol)}. Supported: [${expected.allowedProtocols.join(" ")}]`,
    );
  }
  const serverCert = certificate.length > LONGEST_EXTRA ? decodeCertificate(certificate) : undefined;
  const mux = readMux(muxText, expected.multiplexGrpc === true && protocol === "grpc");
  return {
    coreVersion: CORE_PROTOCOL_VERSION,
    appVersion,
    network,
    address,
    protocol,
    ...(serverCert !== undefined && { serverCert }),
    mux,
  };
}

/** How a handshake line is written. */
export interface HandshakeFormat {
  /**
   * The host sent no list of versions, so it may be one of 2017, which takes everything after the third bar as the
   * address: net/rpc without TLS is announced in four fields, which mean the same to every later host. Default: false.
   */
  readonly legacyHost?: boolean;
}

/**
 * Writes a handshake line, without the newline. The certificate field stands there even when it is empty, as Go
 * plugins print it; the seventh only where `mux` is given, because old hosts split into six fields at most.
 * @throws HandshakeError ERR_HANDSHAKE_ADDRESS if the address would break the line.
 */
export function formatHandshakeLine(
  line: HandshakeLine,
  { legacyHost = false }: HandshakeFormat = {},
): string {
  if (/[|\r\n]/.test(line.address)) {
    throw new HandshakeError(
      "ERR_HANDSHAKE_ADDRESS",
      `the address ${quote(line.address)} cannot stand in a handshake line`,
    );
  }
  if (legacyHost && line.protocol === "netrpc" && line.serverCert === undefined) {
    return [line.coreVersion, line.appVersion, line.network, line.address].join("|");
  }
  const certificate = line.serverCert?.toString("base64").replace(/=+$/, "") ?? "";
  const fields = [line.coreVersion, line.appVersion, line.network, line.address, line.protocol, certificate];
  return [...fields, ...(line.mux === undefined ? [] : [line.mux])].join("|");
}

function checkCoreVersion(text: string): void {
  const parsed = parseGoInt(text);
  if ("problem" in parsed) {
    const message = `error parsing core protocol version: ${excerpt(parsed.problem)}`;
    throw new HandshakeError("ERR_HANDSHAKE_CORE_VERSION", message);
  }
  if (parsed.value !== CORE_PROTOCOL_VERSION) {
    throw new HandshakeError(
      "ERR_HANDSHAKE_CORE_VERSION",
      `incompatible core API version with plugin. Plugin version: ${text}, Core version: ${CORE_PROTOCOL_VERSION}\n\n` +
        "To fix this, the plugin usually only needs to be recompiled.\nPlease report this to the plugin author",
    );
  }
}

function readAppVersion(text: string, own: Iterable<number> | undefined): number {
  const parsed = parseGoInt(text);
  if ("problem" in parsed) {
    throw new HandshakeError(
      "ERR_HANDSHAKE_APP_VERSION",
      `Error parsing protocol version ${quote(text)}: ${excerpt(parsed.problem)}`,
    );
  }
  if (own !== undefined) checkAnnouncedVersion(parsed.value, own);
  return parsed.value;
}

function checkAddress(network: string, address: string): Network {
  if (network !== "unix" && network !== "tcp") {
    // go-plugin's text names the address only; what is wrong is the network.
    throw new HandshakeError(
      "ERR_HANDSHAKE_ADDRESS",
      `unknown address type: ${excerpt(address)} (network ${quote(network)})`,
    );
  }
  if (isAddress(network, address)) return network;
  if (network === "unix") {
    throw new HandshakeError("ERR_HANDSHAKE_ADDRESS", "the plugin announced an empty socket path");
  }
  throw new HandshakeError("ERR_HANDSHAKE_ADDRESS", `address ${excerpt(address)}: not a host:port pair`);
}

/** Whether a text can be an address of a network: a socket's path, or `host:port`. */
export function isAddress(network: Network, address: string): boolean {
  if (network === "unix") return address !== "";
  const port = /^(?:\[[^[\]]*\]|[^:[\]]*):([0-9]{1,5})$/.exec(address)?.[1];
  return port !== undefined && Number(port) <= 65_535;
}

function decodeCertificate(text: string): Buffer {
  const illegal = /[^A-Za-z0-9+/]/.exec(text)?.index ?? (text.length % 4 === 1 ? text.length - 1 : undefined);
  if (illegal !== undefined) {
    throw new HandshakeError(
      "ERR_HANDSHAKE_CERTIFICATE",
      `error parsing server cert: illegal base64 data at input byte ${illegal}`,
    );
  }
  return Buffer.from(text, "base64");
}

function readMux(text: string | undefined, wanted: boolean): boolean | undefined {
  const mux = text === undefined ? undefined : parseBool(text);
  if (!wanted || mux === true) return mux;
  if (text === undefined) {
    throw new HandshakeError(
      "ERR_HANDSHAKE_MULTIPLEX",
      `${NO_MULTIPLEXING}; for Go plugins, you will need to update the github.com/hashicorp/go-plugin dependency and recompile`,
    );
  }
  if (mux === false) throw new HandshakeError("ERR_HANDSHAKE_MULTIPLEX", NO_MULTIPLEXING);
  throw new HandshakeError(
    "ERR_HANDSHAKE_MULTIPLEX",
    `error parsing ${quote(text)} as a boolean for gRPC broker multiplexing support`,
  );
}

/** Bounds what an error message repeats of the other side's bytes. */
function excerpt(text: string): string {
  return text.length <= 1024 ? text : `${text.slice(0, 1024)}… (${text.length} characters)`;
}

function quote(text: string): string {
  return JSON.stringify(excerpt(text));
}
