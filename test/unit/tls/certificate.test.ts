import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { test } from "node:test";
import { type Certificate, certificatePem, generateCertificate } from "../../../src/tls/certificate.js";
import { binary, missingBinaries } from "../../interop/case.js";

const thirtyYears = 262_980 * 3_600;

test("a certificate has the properties of go-plugin's (mtls.go)", async () => {
  const before = Math.floor(Date.now() / 1_000);
  const made = await generateCertificate();
  const after = Math.ceil(Date.now() / 1_000);
  const x509 = new X509Certificate(made.certPem);
  assert.deepEqual(x509.raw, made.certDer);
  assert.equal(x509.subject, "O=goplug\nCN=localhost");
  assert.equal(x509.issuer, x509.subject);
  assert.equal(x509.subjectAltName, "DNS:localhost");
  assert.equal(x509.ca, true);
  assert.equal(x509.publicKey.asymmetricKeyDetails?.namedCurve, "secp521r1");
  assert.ok(x509.verify(x509.publicKey), "signed by itself");
  assert.ok(x509.checkPrivateKey(createPrivateKey(made.keyPem)));
  assert.match(made.keyPem, /^-----BEGIN EC PRIVATE KEY-----\n/);
  const from = Date.parse(x509.validFrom) / 1_000;
  const to = Date.parse(x509.validTo) / 1_000;
  assert.ok(from >= before - 31 && from <= after - 30, `not before: ${x509.validFrom}`);
  assert.ok(to >= before + thirtyYears - 1 && to <= after + thirtyYears, `not after: ${x509.validTo}`);
});

test("no two certificates share a key or a serial", async () => {
  const made = await Promise.all(Array.from({ length: 8 }, () => generateCertificate()));
  const serials = new Set(made.map(({ certDer }) => new X509Certificate(certDer).serialNumber));
  assert.equal(serials.size, made.length);
  assert.equal(new Set(made.map(({ keyPem }) => keyPem)).size, made.length);
  for (const serial of serials) assert.match(serial, /^[0-9A-F]{32}$/, "128 bits");
});

test("the PEM form wraps the DER bytes at 64 characters", async () => {
  const { certDer, certPem } = await generateCertificate();
  assert.equal(certificatePem(certDer), new X509Certificate(certDer).toString());
  assert.equal(certPem, certificatePem(certDer));
});

test("years up to 2049 and from 2050 on are written in the two forms that X.509 wants", async () => {
  for (const year of [2049, 2050]) {
    const notAfter = new Date(Date.UTC(year, 6, 1, 12, 0, 0, 999));
    const { certDer } = await generateCertificate({ notBefore: new Date(0), notAfter });
    assert.equal(Date.parse(new X509Certificate(certDer).validTo), Date.UTC(year, 6, 1, 12));
    const form = year < 2050 ? "490701120000Z" : "20500701120000Z";
    assert.ok(certDer.includes(Buffer.concat([Uint8Array.of(form.length), Buffer.from(form)])), form);
  }
});

const missing = missingBinaries(["tlspeer"]);
test("Go reads the certificate as one of its own", {
  skip: missing.length > 0 && process.env.CI !== "true" ? `no ${missing}` : false,
}, async () => {
  const seen = await inspect(await generateCertificate());
  assert.deepEqual(
    { ...seen, notBefore: 0, notAfter: 0, serialBits: 0 },
    {
      commonName: "localhost",
      organization: ["goplug"],
      dnsNames: ["localhost"],
      serialSign: 1,
      serialBits: 0,
      notBefore: 0,
      notAfter: 0,
      isCA: true,
      // x509.KeyUsageDigitalSignature | KeyEncipherment | KeyAgreement | CertSign
      keyUsage: 1 | 4 | 16 | 32,
      // x509.ExtKeyUsageClientAuth, ExtKeyUsageServerAuth
      extKeyUsage: [2, 1],
      signature: "ECDSA-SHA512",
      verify: "",
      selfSigned: "",
    },
  );
  assert.equal(Number(seen.notAfter) - Number(seen.notBefore), thirtyYears + 30);
});

function inspect({ certPem }: Certificate): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    const child = execFile(binary("tlspeer"), ["inspect"], { timeout: 30_000 }, (error, stdout) => {
      if (error) reject(error);
      else resolve(JSON.parse(stdout) as Record<string, unknown>);
    });
    child.stdin?.end(certPem);
  });
}
