import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
// Before a certificate's toLegacyObject: behind that Node 22 has a tls without createSecureContext.
import "node:tls";
import { generateCertificate } from "../../../src/tls/certificate.js";
import { connectTls } from "../../../src/tls/connect.js";
import { hostTlsOptions } from "../../../src/tls/host-options.js";
import { pluginTls } from "../../../src/tls/plugin-options.js";

const refusedCertificate = { name: "TlsError", code: "ERR_TLS_CERTIFICATE" };

test("a host without TLS connects without, and says so when the plugin wants TLS", async () => {
  const { certDer } = await generateCertificate();
  assert.equal(hostTlsOptions({}), undefined);
  assert.throws(() => hostTlsOptions({ announced: certDer }), refusedCertificate);
});

test("AutoMTLS needs an announced certificate", async () => {
  const own = await generateCertificate();
  assert.throws(() => hostTlsOptions({ own }), refusedCertificate);
});

test("what is announced must be one certificate in DER, to the last byte", async () => {
  const own = await generateCertificate();
  const other = await generateCertificate();
  const flipped = Buffer.from(other.certDer);
  flipped[0] = 0x31;
  for (const announced of [
    Buffer.alloc(0),
    Buffer.from("no certificate, but more than fifty characters of some other text"),
    other.certDer.subarray(0, -1),
    Buffer.concat([other.certDer, Uint8Array.of(0)]),
    Buffer.concat([other.certDer, other.certDer]),
    Buffer.from(other.certPem),
    flipped,
  ]) {
    assert.throws(() => hostTlsOptions({ own, announced }), refusedCertificate);
  }
});

test("AutoMTLS pins the announced certificate and the name localhost", async () => {
  const [own, plugin] = [await generateCertificate(), await generateCertificate()];
  const options = hostTlsOptions({ own, announced: plugin.certDer });
  assert.ok(options);
  assert.equal(options.servername, "localhost");
  assert.equal(options.minVersion, "TLSv1.2");
  assert.equal(options.rejectUnauthorized, true);
  assert.equal(options.cert, own.certPem);
  assert.equal(options.ca, plugin.certPem);
  const check = options.checkServerIdentity!;
  const peer = (der: Buffer) => new X509Certificate(der).toLegacyObject() as Parameters<typeof check>[1];
  assert.equal(check("localhost", peer(plugin.certDer)), undefined);
  assert.equal((check("localhost", peer(own.certDer)) as { code?: string }).code, "ERR_TLS_PEER");
  assert.equal(
    (check("elsewhere", peer(plugin.certDer)) as { code?: string }).code,
    "ERR_TLS_CERT_ALTNAME_INVALID",
  );
});

test("a check of the user's that throws refuses the certificate", () => {
  const cause = new Error("careless");
  const checkServerIdentity = (): never => {
    throw cause;
  };
  const { checkServerIdentity: check } = hostTlsOptions({ config: { checkServerIdentity } })!;
  const refused = check!("localhost", {} as Parameters<NonNullable<typeof check>>[1]) as {
    code?: string;
    cause?: unknown;
  };
  assert.deepEqual([refused.code, refused.cause], ["ERR_TLS_PEER", cause]);
});

test("the user's options count; an announced certificate is trusted unless they name the trusted ones", async () => {
  const { certDer, certPem } = await generateCertificate();
  assert.deepEqual(hostTlsOptions({ config: { ca: "theirs", servername: "plugin.test" } }), {
    minVersion: "TLSv1.2",
    servername: "plugin.test",
    ca: "theirs",
  });
  assert.equal(hostTlsOptions({ config: {} })?.servername, "localhost");
  assert.equal(hostTlsOptions({ config: {}, announced: certDer })?.ca, certPem);
  assert.equal(hostTlsOptions({ config: { ca: "theirs" }, announced: certDer })?.ca, "theirs");
  assert.throws(
    () => hostTlsOptions({ config: {}, announced: certDer.subarray(1) }),
    refusedCertificate,
    "no certificate",
  );
});

test("a plugin's TLS: the provider's before AutoMTLS, AutoMTLS when the host sent its certificate, else none", async () => {
  const host = await generateCertificate();
  assert.equal(await pluginTls({}), undefined);
  assert.equal(await pluginTls({ clientCert: "" }), undefined);

  const mine = { cert: host.certPem, key: host.keyPem };
  const own = await pluginTls({ provider: async () => mine, clientCert: host.certPem });
  assert.deepEqual(own, { options: { ...mine, minVersion: "TLSv1.2" } });

  const auto = await pluginTls({ clientCert: `\n${host.certPem.replaceAll("\n", "\r\n")}` });
  assert.ok(auto?.announce);
  assert.equal(auto.options.requestCert, true);
  assert.equal(auto.options.rejectUnauthorized, true);
  assert.equal(auto.options.minVersion, "TLSv1.2");
  assert.deepEqual(auto.pinned?.raw, host.certDer);
  assert.equal(new X509Certificate(auto.announce).subject, "O=goplug\nCN=localhost");
});

test("PLUGIN_CLIENT_CERT must be one PEM certificate; a provider's error comes through", async () => {
  const [one, two] = [await generateCertificate(), await generateCertificate()];
  for (const clientCert of [
    "no PEM",
    one.keyPem,
    one.certPem + two.certPem,
    one.certPem.slice(0, -30),
    one.certPem.replace(/\n[A-Za-z0-9+/]{64}\n/, "\n"),
    "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
  ]) {
    await assert.rejects(pluginTls({ clientCert }), refusedCertificate, clientCert.slice(0, 60));
  }
  const failure = new Error("no certificates today");
  await assert.rejects(
    pluginTls({
      provider() {
        throw failure;
      },
    }),
    failure,
  );
});

test("options that Node does not take are told before anything is announced or connected", async () => {
  const [one, two] = [await generateCertificate(), await generateCertificate()];
  const wrong = [
    { cert: "no PEM", key: one.keyPem },
    { cert: one.certPem, key: two.keyPem },
    { cert: one.certPem, key: one.keyPem, ciphers: "NO-SUCH-CIPHER" },
  ];
  const unusable = { name: "TlsError", code: "ERR_TLS_CONFIG" };
  for (const options of wrong) {
    await assert.rejects(pluginTls({ provider: () => options }), unusable);
    const tls = hostTlsOptions({ config: options })!;
    await assert.rejects(connectTls({ path: "/nowhere" }, { tls }), unusable);
  }
});
