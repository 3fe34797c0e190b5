import { GoplugError, type GoplugErrorOptions } from "../errors.js";

/** The codes of {@link TlsError}. */
export type TlsErrorCode =
  /** A certificate that was handed over (handshake line, PLUGIN_CLIENT_CERT) is none, or is missing. */
  | "ERR_TLS_CERTIFICATE"
  /** The user's own TLS options cannot be used: no PEM, a key that is another certificate's, an unknown version. */
  | "ERR_TLS_CONFIG"
  /** The peer's certificate is not acceptable: another than the announced one, expired, for another name, none. */
  | "ERR_TLS_PEER"
  /** The handshake failed for another reason: no common version, not TLS at all, refused by the peer. */
  | "ERR_TLS_HANDSHAKE"
  /** The handshake took longer than its limit. */
  | "ERR_TLS_TIMEOUT"
  /** The connection failed before the handshake: nobody listens, no such socket. */
  | "ERR_TLS_CONNECT";

/** A connection could not be secured. The connection is closed; `cause` is what Node reported, if it did. */
export class TlsError extends GoplugError {
  override readonly name = "TlsError";
  declare readonly code: TlsErrorCode;

  constructor(code: TlsErrorCode, message: string, options?: GoplugErrorOptions) {
    super(code, message, options);
  }
}

/** The error for options of the user's that Node does not take. */
export function unusableOptions(cause: unknown): TlsError {
  return new TlsError("ERR_TLS_CONFIG", `the TLS configuration cannot be used: ${(cause as Error).message}`, {
    cause,
  });
}

/** The codes with which Node reports what OpenSSL's verification found (lib/internal/tls, src/crypto: X509 errors). */
const VERIFICATION_CODES: ReadonlySet<string> = new Set([
  "UNSPECIFIED",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_CRL",
  "UNABLE_TO_DECRYPT_CERT_SIGNATURE",
  "UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY",
  "CERT_SIGNATURE_FAILURE",
  "CERT_NOT_YET_VALID",
  "CERT_HAS_EXPIRED",
  "CERT_REVOKED",
  "CERT_UNTRUSTED",
  "CERT_REJECTED",
  "CERT_CHAIN_TOO_LONG",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "INVALID_CA",
  "INVALID_PURPOSE",
  "PATH_LENGTH_EXCEEDED",
  "HOSTNAME_MISMATCH",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "ERR_TLS_CERT_ALTNAME_FORMAT",
  "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE",
  // Stands for "other" in Node's older releases, where an unlisted verification error has no name of its own.
  "OTHER",
]);

const CONNECT_CALLS: ReadonlySet<string> = new Set(["connect", "getaddrinfo"]);

/**
 * Sorts what a TLS socket reported into this module's codes. A TlsError stays what it is.
 *
 * @param what the connection, for the message: `TLS connection to unix /tmp/plugin123`
 */
export function tlsFailure(what: string, error: unknown): TlsError {
  if (error instanceof TlsError) return error;
  const { code = "", message, syscall } = error as NodeJS.ErrnoException;
  if (VERIFICATION_CODES.has(code)) {
    return new TlsError("ERR_TLS_PEER", `${what}: the peer's certificate is refused: ${message} (${code})`, {
      cause: error,
    });
  }
  if (code === "ERR_TLS_HANDSHAKE_TIMEOUT") {
    return new TlsError("ERR_TLS_TIMEOUT", `${what}: the handshake took too long`, { cause: error });
  }
  if (syscall !== undefined && CONNECT_CALLS.has(syscall)) {
    return new TlsError("ERR_TLS_CONNECT", `${what}: ${message}`, { cause: error });
  }
  return new TlsError("ERR_TLS_HANDSHAKE", `${what}: the handshake failed: ${message}`, { cause: error });
}
