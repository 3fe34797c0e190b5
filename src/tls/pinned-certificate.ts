import type { X509Certificate } from "node:crypto";
import { builtin } from "../builtin.js";
import { TlsError } from "./errors.js";

/** Reads the DER bytes of one certificate that the other side announced. @throws TlsError ERR_TLS_CERTIFICATE */
export function readCertificate(der: Buffer, from: string): X509Certificate {
  let certificate: X509Certificate;
  try {
    certificate = new builtin.crypto.X509Certificate(der);
  } catch (cause) {
    throw new TlsError("ERR_TLS_CERTIFICATE", `${from} is not a certificate: ${(cause as Error).message}`, {
      cause,
    });
  }
  // OpenSSL reads PEM as well and ignores what follows a certificate; what is pinned must be these bytes, all of them.
  if (Buffer.compare(certificate.raw, der) !== 0) {
    throw new TlsError("ERR_TLS_CERTIFICATE", `${from} is not one certificate in DER`);
  }
  return certificate;
}

/**
 * Reads a PEM text that must hold one certificate and nothing else of consequence (PLUGIN_CLIENT_CERT).
 *
 * @throws TlsError ERR_TLS_CERTIFICATE
 */
export function readCertificatePem(pem: string, from: string): X509Certificate {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length !== 1) {
    throw new TlsError(
      "ERR_TLS_CERTIFICATE",
      `${from} holds ${blocks.length} PEM certificates instead of one`,
    );
  }
  const base64 = blocks[0]!.slice("-----BEGIN CERTIFICATE-----".length, -"-----END CERTIFICATE-----".length);
  return readCertificate(Buffer.from(base64, "base64"), from);
}

/**
 * Whether the peer presented exactly the pinned certificate, byte for byte; `undefined` is a peer without one. Node's certificates are
 * Buffers, other runtimes' bytes of the plain kind.
 */
export function isPinned(presented: Uint8Array | undefined, pinned: X509Certificate): boolean {
  return presented !== undefined && Buffer.compare(presented, pinned.raw) === 0;
}
