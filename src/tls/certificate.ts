import { promisify } from "node:util";
import { builtin } from "../builtin.js";
import {
  bitString,
  boolean,
  explicit,
  implicit,
  objectIdentifier,
  octetString,
  printableString,
  sequence,
  set,
  time,
  unsigned,
} from "./der.js";

/** A certificate with the private key that belongs to it. */
export interface Certificate {
  /** PEM, one `CERTIFICATE` block. */
  readonly certPem: string;
  /** PEM, `EC PRIVATE KEY`. */
  readonly keyPem: string;
  /** The DER bytes of the same certificate: what a plugin announces in its handshake line. */
  readonly certDer: Buffer;
}

/** The period for which a certificate is valid. */
export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** Seconds by which the peer's clock may be behind (mtls.go). */
const CLOCK_SKEW = 30;
/** mtls.go: 262,980 hours, about 30 years: longer than any plugin runs. */
const LIFETIME = 262_980 * 3_600;

const oid = {
  commonName: "2.5.4.3",
  organization: "2.5.4.10",
  subjectKeyIdentifier: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  extKeyUsage: "2.5.29.37",
  serverAuth: "1.3.6.1.5.5.7.3.1",
  clientAuth: "1.3.6.1.5.5.7.3.2",
  ecdsaWithSha512: "1.2.840.10045.4.3.4",
} as const;

/** The name that both sides' certificates carry and both sides check (mtls.go). */
export const CERTIFICATE_NAME = "localhost";

/**
 * Makes a one-time, self-signed certificate as go-plugin's generateCert does (mtls.go): ECDSA P-521, CN and SAN
 * `localhost`, a random serial of 128 bits, valid from 30 seconds ago for about 30 years, its own CA, for client and
 * server.
 *
 * @param validity default: as above
 */
export async function generateCertificate(validity: Validity = defaultValidity()): Promise<Certificate> {
  const { publicKey, privateKey } = await promisify(builtin.crypto.generateKeyPair)("ec", {
    namedCurve: "P-521",
  });
  const spki = publicKey.export({ type: "spki", format: "der" });
  const signatureAlgorithm = sequence(objectIdentifier(oid.ecdsaWithSha512));
  const name = sequence(attribute(oid.organization, "goplug"), attribute(oid.commonName, CERTIFICATE_NAME));
  const toSign = sequence(
    explicit(0, unsigned(Uint8Array.of(VERSION3))),
    unsigned(serialNumber()),
    signatureAlgorithm,
    name,
    sequence(time(validity.notBefore), time(validity.notAfter)),
    name,
    spki,
    explicit(3, extensions(spki)),
  );
  // node:crypto gives ECDSA signatures in the form that X.509 has them in.
  const signature = builtin.crypto.sign("sha512", toSign, privateKey);
  const certDer = sequence(toSign, signatureAlgorithm, bitString(signature));
  return {
    certPem: certificatePem(certDer),
    keyPem: privateKey.export({ type: "sec1", format: "pem" }) as string,
    certDer,
  };
}

function attribute(type: string, text: string): Buffer {
  return set(sequence(objectIdentifier(type), printableString(text)));
}

/** RFC 5280, 4.2.1: those of go-plugin's certificates. */
function extensions(spki: Buffer): Buffer {
  const critical = boolean(true);
  const extension = (id: string, ...rest: Buffer[]): Buffer => sequence(objectIdentifier(id), ...rest);
  return sequence(
    extension(oid.keyUsage, critical, octetString(bitString(Uint8Array.of(KEY_USAGE), UNUSED_KEY_USAGE))),
    extension(
      oid.extKeyUsage,
      octetString(sequence(objectIdentifier(oid.clientAuth), objectIdentifier(oid.serverAuth))),
    ),
    // It is a certificate authority.
    extension(oid.basicConstraints, critical, octetString(sequence(boolean(true)))),
    extension(oid.subjectKeyIdentifier, octetString(octetString(keyIdentifier(spki)))),
    extension(oid.subjectAltName, octetString(sequence(implicit(DNS_NAME, Buffer.from(CERTIFICATE_NAME))))),
  );
}

/** The SHA-1 of the key's bits alone (RFC 5280, 4.2.1.2), which end the DER of a public key. */
function keyIdentifier(spki: Buffer): Buffer {
  // A point of P-521 that is not compressed: one byte for the form, and two numbers of 66 bytes.
  const bits = spki.subarray(-(1 + 2 * 66));
  return builtin.crypto.createHash("sha1").update(bits).digest();
}

/** The PEM form of a DER certificate. */
export function certificatePem(der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

/** X.509 v3 by its number (RFC 5280, 4.1.2.1). */
const VERSION3 = 2;

/** Bits 0 digitalSignature, 2 keyEncipherment, 4 keyAgreement, 5 keyCertSign; the last two of the byte are unused. */
const KEY_USAGE = 0b1010_1100;
const UNUSED_KEY_USAGE = 2;

/** GeneralName's tag for a DNS name (RFC 5280, 4.2.1.6). */
const DNS_NAME = 2;

function defaultValidity(): Validity {
  const now = Date.now();
  return { notBefore: new Date(now - CLOCK_SKEW * 1_000), notAfter: new Date(now + LIFETIME * 1_000) };
}

/** 128 random bits, with none of the leading zeros that would shorten them. */
function serialNumber(): Buffer {
  const bytes = builtin.crypto.randomBytes(16);
  if (bytes[0] === 0) bytes[0] = 1;
  return bytes;
}
