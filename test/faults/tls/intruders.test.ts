import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectRaw } from "node:net";
import { test } from "node:test";
import { type ConnectionOptions, connect } from "node:tls";
import { type Certificate, generateCertificate } from "../../../src/tls/certificate.js";
import { connectTls } from "../../../src/tls/connect.js";
import { hostTlsOptions } from "../../../src/tls/host-options.js";
import { pluginTls } from "../../../src/tls/plugin-options.js";
import { issueCertificate } from "../../unit/tls/issue.js";
import { listenSecured, networks, readUntilClosed } from "../../unit/tls/support.js";

// Each of these connects to a plugin's socket while the rightful host is connected. The plugin speaks first ("secret"),
// so that whoever is let in by mistake gets something.

async function plugin(host: Certificate) {
  const tls = await pluginTls({ clientCert: host.certPem });
  assert.ok(tls?.announce);
  return { tls, announced: tls.announce };
}

const hour = 3_600_000;
const intruders: Record<string, (host: Certificate) => Promise<ConnectionOptions>> = {
  "without a certificate": async () => ({}),
  "with another self-signed certificate of the same name": async () => keyPair(await generateCertificate()),
  "with a certificate that the host's own has signed": async (host) => keyPair(await issueCertificate(host)),
  "with an expired certificate": async () =>
    keyPair(
      await generateCertificate({
        notBefore: new Date(Date.now() - 2 * hour),
        notAfter: new Date(Date.now() - hour),
      }),
    ),
};

function keyPair({ certPem, keyPem }: Certificate): ConnectionOptions {
  return { cert: certPem, key: keyPem };
}

for (const network of networks) {
  for (const [who, credentials] of Object.entries(intruders)) {
    for (const maxVersion of ["TLSv1.3", "TLSv1.2"] as const) {
      test(`an intruder ${who} gets nothing, ${network}, ${maxVersion}`, async () => {
        const host = await generateCertificate();
        const { tls, announced } = await plugin(host);
        await using listener = await listenSecured(network, tls, {
          onSecured(socket) {
            socket.write("secret");
            socket.pipe(socket);
          },
        });
        const rightful = await connectTls(listener.target, {
          tls: hostTlsOptions({ own: host, announced })!,
        });
        assert.equal(String((await once(rightful, "data"))[0]), "secret");

        const options = await credentials(host);
        const intruder = connect({ ...listener.target, ...options, maxVersion, rejectUnauthorized: false });
        // Whoever is let in would be here for ever.
        intruder.once("data", () => intruder.destroy());
        const stolen = await readUntilClosed(intruder);
        assert.equal(stolen.length, 0);
        rightful.write("still here");
        assert.equal(String((await once(rightful, "data"))[0]), "still here");
        rightful.destroy();
        await listener.refusals(1);
        assert.equal(listener.secured.length, 1, "only the rightful host was let in");
        assert.deepEqual(
          listener.refused.map(({ name, code }) => ({ name, code })),
          [{ name: "TlsError", code: "ERR_TLS_PEER" }],
        );
      });
    }
  }
}

test("a host whose one-time certificate has expired is refused, though it is the announced one", async () => {
  const host = await generateCertificate({
    notBefore: new Date(Date.now() - 2 * hour),
    notAfter: new Date(Date.now() - hour),
  });
  const { tls, announced } = await plugin(host);
  await using listener = await listenSecured("unix", tls);
  const socket = connect({ ...listener.target, ...keyPair(host), ca: announced, rejectUnauthorized: false });
  assert.equal((await readUntilClosed(socket)).length, 0);
  await listener.refusals(1);
  assert.equal(listener.refused[0]?.code, "ERR_TLS_PEER");
  assert.match(String(listener.refused[0]), /expired|CERT_HAS_EXPIRED/);
  assert.equal(listener.secured.length, 0);
});

test("one who speaks no TLS is closed, and is told nothing but an alert", async () => {
  const { tls } = await plugin(await generateCertificate());
  for (const network of networks) {
    await using listener = await listenSecured(network, tls, { onSecured: (socket) => socket.end("secret") });
    const raw = connectRaw(listener.target);
    raw.write("GET / HTTP/1.1\r\n\r\n");
    const answer = await readUntilClosed(raw);
    await listener.refusals(1);
    assert.equal(listener.refused[0]?.code, "ERR_TLS_HANDSHAKE");
    assert.ok(answer.length <= 7, `a TLS alert has 7 bytes, got ${answer.length}`);
    assert.equal(listener.secured.length, 0);
  }
});

test("one who knows only TLS 1.1 is refused", async () => {
  const { tls } = await plugin(await generateCertificate());
  await using listener = await listenSecured("unix", tls);
  const socket = connect({
    ...listener.target,
    minVersion: "TLSv1",
    maxVersion: "TLSv1.1",
    ciphers: "ALL@SECLEVEL=0",
    rejectUnauthorized: false,
  });
  await readUntilClosed(socket);
  await listener.refusals(1);
  assert.equal(listener.refused[0]?.code, "ERR_TLS_HANDSHAKE");
});

test("one who connects and says nothing, or half a hello, is closed when the handshake's time is over", async () => {
  const { tls } = await plugin(await generateCertificate());
  await using listener = await listenSecured("unix", tls, { handshakeTimeout: 100 });
  const silent = connectRaw(listener.target);
  const stuck = connectRaw(listener.target);
  stuck.write(Buffer.from("1603010200010001fc0303", "hex"));
  await Promise.all([readUntilClosed(silent), readUntilClosed(stuck)]);
  await listener.refusals(2);
  assert.deepEqual(
    listener.refused.map(({ code }) => code),
    ["ERR_TLS_TIMEOUT", "ERR_TLS_TIMEOUT"],
  );
});

test("one who leaves in mid-handshake is one refusal and nothing more", async () => {
  const { tls } = await plugin(await generateCertificate());
  await using listener = await listenSecured("unix", tls);
  for (const leave of ["end", "destroy"] as const) {
    const raw = connectRaw(listener.target);
    raw.on("error", () => {});
    await once(raw, "connect");
    raw.write(Buffer.from("160301", "hex"));
    raw[leave]();
    await listener.refusals(leave === "end" ? 1 : 2);
  }
  assert.deepEqual(
    listener.refused.map(({ code }) => code),
    ["ERR_TLS_HANDSHAKE", "ERR_TLS_HANDSHAKE"],
  );
});
