import { createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import * as asn1 from "asn1js";
import * as pki from "pkijs";
import { type Certificate, certificatePem, generateCertificate } from "../../../src/tls/certificate.js";

/** go-plugin's kind of certificate with a key on P-256: grpcio's TLS library refuses P-521, which go-plugin uses. */
export async function p256Certificate(): Promise<Certificate> {
  const usual = await generateCertificate();
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const certificate = pki.Certificate.fromBER(new Uint8Array(usual.certDer));
  const spki = createPublicKey(privateKey).export({ type: "spki", format: "der" });
  certificate.subjectPublicKeyInfo = pki.PublicKeyInfo.fromBER(new Uint8Array(spki));
  certificate.tbsView = new Uint8Array(certificate.encodeTBS().toBER());
  const signature = sign("sha512", certificate.tbsView, privateKey);
  certificate.signatureValue = new asn1.BitString({ valueHex: new Uint8Array(signature).buffer });
  const certDer = Buffer.from(certificate.toSchema(true).toBER());
  const keyPem = privateKey.export({ type: "sec1", format: "pem" }) as string;
  return { certPem: certificatePem(certDer), keyPem, certDer };
}
