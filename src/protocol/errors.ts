import { GoplugError, type GoplugErrorOptions } from "../errors.js";

/** The codes of {@link HandshakeError}, one for each thing that can be wrong between launch and connection. */
export type HandshakeErrorCode =
  /** The line has fewer than four fields. */
  | "ERR_HANDSHAKE_LINE"
  /** The core protocol version is no integer, or not 1. */
  | "ERR_HANDSHAKE_CORE_VERSION"
  /** The app protocol version is no integer, or none that both sides have. */
  | "ERR_HANDSHAKE_APP_VERSION"
  /** The network is neither `unix` nor `tcp`, or the address cannot be one of that network. */
  | "ERR_HANDSHAKE_ADDRESS"
  /** The plugin speaks a protocol that the host did not allow. */
  | "ERR_HANDSHAKE_PROTOCOL"
  /** The certificate field is not base64. */
  | "ERR_HANDSHAKE_CERTIFICATE"
  /** The host wants gRPC multiplexing, and the plugin cannot do it or says so illegibly. */
  | "ERR_HANDSHAKE_MULTIPLEX"
  /** The handshake configuration itself is incomplete. */
  | "ERR_HANDSHAKE_CONFIG";

/** The two sides could not agree: the handshake line, or what it announces, is not acceptable. */
export class HandshakeError extends GoplugError {
  override readonly name = "HandshakeError";
  declare readonly code: HandshakeErrorCode;

  constructor(code: HandshakeErrorCode, message: string, options?: GoplugErrorOptions) {
    super(code, message, options);
  }
}
