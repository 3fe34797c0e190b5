import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createServer, type TlsOptions } from "node:tls";
import { type Certificate, generateCertificate } from "../../../src/tls/certificate.js";
import { connectTls } from "../../../src/tls/connect.js";
import { hostTlsOptions } from "../../../src/tls/host-options.js";
import { dial } from "../../../src/yamux/index.js";
import { issueCertificate } from "../../unit/tls/issue.js";
import { listen, listenSecured, networks } from "../../unit/tls/support.js";

// What a host must not talk to: anything but the server whose certificate the plugin announced.

const hour = 3_600_000;

function expired(): Promise<Certificate> {
  return generateCertificate({
    notBefore: new Date(Date.now() - 2 * hour),
    notAfter: new Date(Date.now() - hour),
  });
}

async function hostOptions(announced: Certificate) {
  const tls = hostTlsOptions({ own: await generateCertificate(), announced: announced.certDer });
  assert.ok(tls);
  return tls;
}

/** A TLS server's raw side, for `listen`. */
function tlsOver(options: TlsOptions): (socket: Socket) => void {
  const server = createServer(options, (socket) => {
    socket.on("error", () => {});
    socket.end("not for you");
  });
  server.on("tlsClientError", (_error, socket) => socket.on("error", () => {}).destroy());
  return (socket) => server.emit("connection", socket);
}

for (const network of networks) {
  test(`a server with another certificate than the announced one is refused, ${network}`, async () => {
    const [announced, other] = [await generateCertificate(), await generateCertificate()];
    const tls = await hostOptions(announced);
    await using listener = await listen(network, tlsOver({ cert: other.certPem, key: other.keyPem }));
    await assert.rejects(connectTls(listener.target, { tls }), { name: "TlsError", code: "ERR_TLS_PEER" });
    await assert.rejects(dial({ ...listener.target, tls }), {
      code: "ERR_YAMUX_CONNECTION_FAILED",
      message: /self-signed/,
    });
  });

  test(`a server with a certificate that the announced one has signed is refused, ${network}`, async () => {
    const announced = await generateCertificate();
    const signed = await issueCertificate(announced);
    const tls = await hostOptions(announced);
    await using listener = await listen(network, tlsOver({ cert: signed.certPem, key: signed.keyPem }));
    await assert.rejects(connectTls(listener.target, { tls }), {
      code: "ERR_TLS_PEER",
      message: /not the one that it announced/,
    });
    await assert.rejects(dial({ ...listener.target, tls }), { message: /not the one that it announced/ });
  });

  test(`an announced certificate that has expired is refused, ${network}`, async () => {
    const announced = await expired();
    const tls = await hostOptions(announced);
    await using listener = await listen(network, tlsOver({ cert: announced.certPem, key: announced.keyPem }));
    await assert.rejects(connectTls(listener.target, { tls }), { code: "ERR_TLS_PEER", message: /expired/ });
  });
}

test("NODE_TLS_REJECT_UNAUTHORIZED=0 does not open AutoMTLS, on either side", async () => {
  const [announced, other, host] = [
    await generateCertificate(),
    await generateCertificate(),
    await generateCertificate(),
  ];
  const tls = await hostOptions(announced);
  await using wrong = await listen("unix", tlsOver({ cert: other.certPem, key: other.keyPem }));
  await using listener = await listenSecured("unix", {
    options: {
      cert: announced.certPem,
      key: announced.keyPem,
      ca: host.certPem,
      requestCert: true,
      rejectUnauthorized: true,
    },
  });
  const before = process.env.NODE_TLS_REJECT_UNAUTHORIZED;
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
  try {
    await assert.rejects(connectTls(wrong.target, { tls }), { code: "ERR_TLS_PEER" });
    // The host's certificate here is not the one that the plugin was given.
    const socket = await connectTls(listener.target, { tls }).catch(() => undefined);
    socket?.on("error", () => {});
    await listener.refusals(1);
    assert.equal(listener.secured.length, 0);
  } finally {
    if (before === undefined) delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    else process.env.NODE_TLS_REJECT_UNAUTHORIZED = before;
  }
});

test("a server of the user's configuration is checked by name: localhost, or the one that was given", async () => {
  const server = await generateCertificate();
  for (const network of networks) {
    await using listener = await listen(network, tlsOver({ cert: server.certPem, key: server.keyPem }));
    const right = await connectTls(listener.target, {
      tls: hostTlsOptions({ config: { ca: server.certPem } })!,
    });
    right.destroy();
    const tls = hostTlsOptions({ config: { ca: server.certPem, servername: "plugin.test" } })!;
    await assert.rejects(connectTls(listener.target, { tls }), {
      code: "ERR_TLS_PEER",
      message: /plugin\.test/,
    });
  }
});

test("a server that speaks no TLS, or too old a version, is a failed handshake", async () => {
  const announced = await generateCertificate();
  const tls = await hostOptions(announced);
  const servers: ((socket: Socket) => void)[] = [
    (socket) => socket.write("220 mail.example.com ESMTP\r\n"),
    (socket) => socket.once("data", () => socket.end()),
    (socket) => socket.once("data", () => socket.destroy()),
    tlsOver({
      cert: announced.certPem,
      key: announced.keyPem,
      minVersion: "TLSv1",
      maxVersion: "TLSv1.1",
      ciphers: "ALL@SECLEVEL=0",
    }),
  ];
  for (const server of servers) {
    await using listener = await listen("unix", server);
    await assert.rejects(connectTls(listener.target, { tls }), {
      name: "TlsError",
      code: "ERR_TLS_HANDSHAKE",
    });
  }
});

test("a server that says nothing is given up on in time, or when the caller gives up", async () => {
  const tls = await hostOptions(await generateCertificate());
  let open = 0;
  await using listener = await listen("unix", (socket) => {
    open++;
    socket.resume().on("close", () => open--);
  });
  await assert.rejects(connectTls(listener.target, { tls, timeout: 50 }), { code: "ERR_TLS_TIMEOUT" });
  const reason = new Error("enough");
  const abort = new AbortController();
  setTimeout(() => abort.abort(reason), 20);
  const waiting = connectTls(listener.target, { tls, signal: abort.signal });
  await assert.rejects(waiting, { code: "ERR_ABORTED", cause: reason });
  await assert.rejects(connectTls(listener.target, { tls, signal: AbortSignal.abort(reason) }), {
    code: "ERR_ABORTED",
  });
  for (let tries = 0; open > 0 && tries < 500; tries++) await new Promise((done) => setTimeout(done, 10));
  assert.equal(open, 0, "the connections were closed");
});

test("nobody there is a failed connection", async () => {
  const tls = await hostOptions(await generateCertificate());
  const dir = await mkdtemp(join(tmpdir(), "goplug-tls-"));
  try {
    const file = join(dir, "file");
    await writeFile(file, "");
    for (const path of [join(dir, "absent"), file]) {
      await assert.rejects(connectTls({ path }, { tls }), { name: "TlsError", code: "ERR_TLS_CONNECT" });
    }
  } finally {
    await rm(dir, { recursive: true });
  }
});
