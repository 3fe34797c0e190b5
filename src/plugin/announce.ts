import type { Logger } from "../hclog/logger.js";
import { CORE_PROTOCOL_VERSION, ENV } from "../protocol/constants.js";
import { formatHandshakeLine } from "../protocol/handshake-line.js";
import type { OpenSocket } from "../socket/open.js";
import { ServeError } from "./errors.js";
import type { Negotiated } from "./negotiate.js";
import { bytesBeforeHold } from "./stdio-capture.js";
import { writeFully } from "./write-sync.js";

/** Milliseconds that the host has to make room for the handshake line in the pipe. */
const HANDSHAKE_MS = 5000;

/**
 * Prints the handshake line on the real stdout, where nothing has been before it.
 *
 * @param serverCert DER bytes of the certificate that AutoMTLS has made
 * @throws ServeError ERR_SERVE_HANDSHAKE when the host does not read
 */
export function announce(
  { network, address }: Pick<OpenSocket, "network" | "address">,
  { version, protocol }: Pick<Negotiated, "version" | "protocol">,
  serverCert: Buffer | undefined,
  logger: Logger,
): void {
  const early = bytesBeforeHold();
  if (early > 0) {
    logger.warn(
      "stdout was written to before goplug was loaded, which can break the handshake: import goplug/capture first",
      { bytes: early },
    );
  }
  logger.debug("plugin address", { network, address });
  const line = formatHandshakeLine(
    {
      coreVersion: CORE_PROTOCOL_VERSION,
      appVersion: version,
      network,
      address,
      protocol,
      ...(serverCert !== undefined && { serverCert }),
      // Only hosts that ask can read the field; net/rpc connections have always been multiplexed in their own way.
      mux: process.env[ENV.multiplexGrpc] ? protocol === "grpc" : undefined,
    },
    { legacyHost: !process.env[ENV.protocolVersions] },
  );
  if (!writeFully(1, `${line}\n`, HANDSHAKE_MS)) {
    throw new ServeError(
      "ERR_SERVE_HANDSHAKE",
      "the handshake line could not be written: the host does not read",
    );
  }
}
