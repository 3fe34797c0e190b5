import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect as connectRaw } from "node:net";
import { test } from "node:test";
import { generateCertificate } from "../../../src/tls/certificate.js";
import { connectTls } from "../../../src/tls/connect.js";
import { hostTlsOptions } from "../../../src/tls/host-options.js";
import { pluginTls } from "../../../src/tls/plugin-options.js";
import { dial, Session } from "../../../src/yamux/index.js";
import { listenSecured, networks, readAll } from "./support.js";

async function pair() {
  const own = await generateCertificate();
  const plugin = await pluginTls({ clientCert: own.certPem });
  assert.ok(plugin);
  const tls = hostTlsOptions({ own, announced: plugin.announce });
  assert.ok(tls);
  return { own, plugin, tls };
}

for (const network of networks) {
  test(`AutoMTLS over ${network}: data in both directions, each ended by itself`, async () => {
    const { plugin, tls } = await pair();
    await using listener = await listenSecured(network, plugin);
    const socket = await connectTls(listener.target, { tls });
    assert.equal(socket.authorized, true);
    assert.equal(socket.getProtocol(), "TLSv1.3");
    const sent = randomBytes(1_000_000);
    socket.end(sent);
    assert.ok((await readAll(socket)).equals(sent));
    await once(socket, "close");
    assert.deepEqual(listener.refused, []);
  });
}

for (const network of networks) {
  // Named pipes, which stand for unix sockets there, do not end one direction alone.
  const skip = network === "unix" && process.platform === "win32";
  test(`a server that has said its last word can still be written to, ${network}`, { skip }, async () => {
    const { plugin, tls } = await pair();
    const heard: Promise<Buffer>[] = [];
    await using listener = await listenSecured(network, plugin, {
      onSecured(socket) {
        heard.push(readAll(socket));
        socket.end("goodbye");
      },
    });
    const socket = await connectTls(listener.target, { tls });
    assert.equal(String(await readAll(socket)), "goodbye");
    socket.write("one more ");
    // Long enough for a socket that is not half open to have ended by itself.
    await new Promise((resolve) => setTimeout(resolve, 50));
    socket.end("thing");
    assert.equal(String(await heard[0]), "one more thing");
  });
}

test("a peer that knows TLS 1.2 only is served with 1.2", async () => {
  const { plugin, tls } = await pair();
  await using listener = await listenSecured("unix", plugin);
  const socket = await connectTls(listener.target, { tls: { ...tls, maxVersion: "TLSv1.2" } });
  assert.equal(socket.getProtocol(), "TLSv1.2");
  socket.end("hello");
  assert.equal(String(await readAll(socket)), "hello");
});

test("several connections at once share nothing", async () => {
  const { plugin, tls } = await pair();
  await using listener = await listenSecured("unix", plugin);
  const answers = await Promise.all(
    Array.from({ length: 8 }, async (_, index) => {
      const socket = await connectTls(listener.target, { tls });
      socket.end(`number ${index}`);
      return String(await readAll(socket));
    }),
  );
  assert.deepEqual(
    answers,
    Array.from({ length: 8 }, (_, index) => `number ${index}`),
  );
});

for (const network of networks) {
  test(`TLS runs over a ${network} socket that the caller brings`, async () => {
    const { plugin, tls } = await pair();
    await using listener = await listenSecured(network, plugin);
    const raw = connectRaw(listener.target);
    await once(raw, "connect");
    const socket = await connectTls({ socket: raw }, { tls });
    socket.end("over a given socket");
    assert.equal(String(await readAll(socket)), "over a given socket");
    await once(socket, "close");
    assert.equal(raw.destroyed, true);
  });
}

for (const network of networks) {
  test(`a yamux session over AutoMTLS on ${network}, from connectTls and from dial`, async () => {
    const { plugin, tls } = await pair();
    await using listener = await listenSecured(network, plugin, {
      onSecured(socket) {
        const session = Session.server(socket);
        void (async () => {
          for await (const stream of session) stream.pipe(stream);
        })().catch(() => {});
      },
    });
    const sent = randomBytes(600_000);
    for (const session of [
      Session.client(await connectTls(listener.target, { tls })),
      await dial({ ...listener.target, tls }),
    ]) {
      const stream = await session.open();
      stream.end(sent);
      assert.ok((await readAll(stream)).equals(sent));
      await session.close();
      await session.closed;
    }
    assert.deepEqual(listener.refused, []);
  });
}

test("options of the user's own on both sides: a server certificate alone, and a client's too", async () => {
  const [server, client] = [await generateCertificate(), await generateCertificate()];
  for (const mutual of [false, true]) {
    const plugin = await pluginTls({
      provider: () => ({
        cert: server.certPem,
        key: server.keyPem,
        ...(mutual && { ca: client.certPem, requestCert: true, rejectUnauthorized: true }),
      }),
    });
    assert.ok(plugin);
    await using listener = await listenSecured("unix", plugin);
    const config = { ca: server.certPem, ...(mutual && { cert: client.certPem, key: client.keyPem }) };
    const socket = await connectTls(listener.target, { tls: hostTlsOptions({ config })! });
    socket.end("user's own");
    assert.equal(String(await readAll(socket)), "user's own");
  }
});
