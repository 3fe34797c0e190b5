import { createPrivateKey, sign } from "node:crypto";
import * as asn1 from "asn1js";
import * as pki from "pkijs";
import { type Certificate, certificatePem, generateCertificate } from "../../../src/tls/certificate.js";

/**
 * A good certificate that another has signed: a one-time certificate is its own CA, so the chain verifies, and only a
 * comparison with the announced bytes can refuse it.
 */
export async function issueCertificate(issuer: Certificate): Promise<Certificate> {
  const child = await generateCertificate();
  const certificate = pki.Certificate.fromBER(new Uint8Array(child.certDer));
  certificate.issuer = pki.Certificate.fromBER(new Uint8Array(issuer.certDer)).subject;
  // Another name than the issuer's, or it would count as self-signed.
  const names = ["2.5.4.10", "2.5.4.3"].map((type, index) => {
    const value = new asn1.PrintableString({ value: ["goplug, signed", "localhost"][index]! });
    return new asn1.Set({ value: [new pki.AttributeTypeAndValue({ type, value }).toSchema()] });
  });
  certificate.subject = pki.RelativeDistinguishedNames.fromBER(new asn1.Sequence({ value: names }).toBER());
  certificate.tbsView = new Uint8Array(certificate.encodeTBS().toBER());
  const signature = sign("sha512", certificate.tbsView, createPrivateKey(issuer.keyPem));
  certificate.signatureValue = new asn1.BitString({ valueHex: new Uint8Array(signature).buffer });
  const certDer = Buffer.from(certificate.toSchema(true).toBER());
  return { certPem: certificatePem(certDer), keyPem: child.keyPem, certDer };
}
