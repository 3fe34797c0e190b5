import { promisify } from "node:util";
import { builtin } from "../builtin.js";

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
const clockSkew = 30;
/** mtls.go: 262,980 hours, about 30 years: longer than any plugin runs. */
const lifetime = 262_980 * 3_600;

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
export const certificateName = "localhost";

/**
 * Makes a one-time, self-signed certificate as go-plugin's generateCert does (mtls.go): ECDSA P-521, CN and SAN
 * `localhost`, a random serial of 128 bits, valid from 30 seconds ago for about 30 years, its own CA, for client and
 * server. The X.509 library is loaded by the first call.
 *
 * @param validity default: as above
 */
export async function generateCertificate(validity: Validity = defaultValidity()): Promise<Certificate> {
  // One after the other: the one imports the other, and Jest cannot link a module that is being linked already.
  const asn1 = await import("asn1js");
  const pki = await import("pkijs");
  const { publicKey, privateKey } = await promisify(builtin.crypto.generateKeyPair)("ec", {
    namedCurve: "P-521",
  });
  const certificate = new pki.Certificate();
  certificate.version = 2;
  certificate.serialNumber = new asn1.Integer({ valueHex: toArrayBuffer(serialNumber()) });
  const attribute = (type: string, value: string) =>
    new asn1.Set({
      value: [new pki.AttributeTypeAndValue({ type, value: new asn1.PrintableString({ value }) }).toSchema()],
    });
  const name = new asn1.Sequence({
    value: [attribute(oid.organization, "goplug"), attribute(oid.commonName, certificateName)],
  }).toBER();
  // Through the encoded form, because the library's own list of attributes becomes one name of several values.
  certificate.subject = pki.RelativeDistinguishedNames.fromBER(name);
  certificate.issuer = certificate.subject;
  certificate.notBefore = new pki.Time(x509Time(validity.notBefore));
  certificate.notAfter = new pki.Time(x509Time(validity.notAfter));

  const spki = publicKey.export({ type: "spki", format: "der" });
  certificate.subjectPublicKeyInfo = pki.PublicKeyInfo.fromBER(toArrayBuffer(spki));
  const keyBits = certificate.subjectPublicKeyInfo.subjectPublicKey.valueBlock.valueHexView;
  const extension = (extnID: string, critical: boolean, value: { toBER(): ArrayBuffer }) =>
    new pki.Extension({ extnID, critical, extnValue: value.toBER() });
  certificate.extensions = [
    // Bits 0 digitalSignature, 2 keyEncipherment, 4 keyAgreement, 5 keyCertSign; the last two of the byte are unused.
    extension(
      oid.keyUsage,
      true,
      new asn1.BitString({ valueHex: Uint8Array.of(0b1010_1100).buffer, unusedBits: 2 }),
    ),
    extension(
      oid.extKeyUsage,
      false,
      new pki.ExtKeyUsage({ keyPurposes: [oid.clientAuth, oid.serverAuth] }).toSchema(),
    ),
    extension(oid.basicConstraints, true, new pki.BasicConstraints({ cA: true }).toSchema()),
    extension(
      oid.subjectKeyIdentifier,
      false,
      new asn1.OctetString({
        valueHex: toArrayBuffer(builtin.crypto.createHash("sha1").update(keyBits).digest()),
      }),
    ),
    extension(
      oid.subjectAltName,
      false,
      new pki.GeneralNames({
        names: [new pki.GeneralName({ type: dnsName, value: certificateName })],
      }).toSchema(),
    ),
  ];

  // Signed by node:crypto, whose DER form of ECDSA signatures is X.509's: the library's own engine is not needed.
  certificate.signature.algorithmId = oid.ecdsaWithSha512;
  certificate.signatureAlgorithm.algorithmId = oid.ecdsaWithSha512;
  certificate.tbsView = new Uint8Array(certificate.encodeTBS().toBER());
  const signature = builtin.crypto.sign("sha512", certificate.tbsView, privateKey);
  certificate.signatureValue = new asn1.BitString({ valueHex: toArrayBuffer(signature) });

  const certDer = Buffer.from(certificate.toSchema(true).toBER());
  return {
    certPem: certificatePem(certDer),
    keyPem: privateKey.export({ type: "sec1", format: "pem" }) as string,
    certDer,
  };
}

/** The PEM form of a DER certificate. */
export function certificatePem(der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

/** GeneralName's tag for a DNS name (RFC 5280, 4.2.1.6). */
const dnsName = 2;

function defaultValidity(): Validity {
  const now = Date.now();
  return { notBefore: new Date(now - clockSkew * 1_000), notAfter: new Date(now + lifetime * 1_000) };
}

/**
 * Whole seconds (fractions are not allowed), as UTCTime (0) for years up to 2049 and GeneralizedTime (1) for later
 * ones (RFC 5280, 4.1.2.5).
 */
function x509Time(date: Date): { type: 0 | 1; value: Date } {
  const value = new Date(Math.floor(date.getTime() / 1_000) * 1_000);
  return { type: value.getUTCFullYear() < 2050 ? 0 : 1, value };
}

/** 128 random bits as a positive, minimal DER integer. */
function serialNumber(): Buffer {
  const bytes = builtin.crypto.randomBytes(16);
  // A leading zero byte that the sign does not need would not be DER, and a serial of zero is none.
  if (bytes[0] === 0) bytes[0] = 1;
  return bytes[0]! < 0x80 ? bytes : Buffer.concat([Uint8Array.of(0), bytes]);
}

function toArrayBuffer(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}
