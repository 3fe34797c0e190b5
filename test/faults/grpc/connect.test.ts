// A plugin that announces gRPC, and then does something else.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { Client, nullLogger } from "../../../src/index.js";
import { kv } from "../../interop/grpc-support.js";
import { handshakeConfig } from "../../interop/support.js";

/** A host whose plugin's socket is served by the test. */
async function host(onConnection: ((socket: Socket) => void) | undefined, multiplex: boolean) {
  const dir = await mkdtemp(join(tmpdir(), "goplug-"));
  after(() => rm(dir, { recursive: true }));
  const path = join(dir, "s");
  if (onConnection !== undefined) {
    const server = createServer((socket) => {
      socket.on("error", () => {});
      after(() => socket.destroy());
      onConnection(socket);
    });
    await new Promise<void>((resolve) => server.listen(path, resolve));
    after(() => server.close());
  }
  const client = new Client({
    handshakeConfig,
    plugins: { kv },
    logger: nullLogger,
    cmd: ["/bin/sh", "-c", `echo '1|1|unix|${path}|grpc||true'; exec sleep 60`],
    allowedProtocols: ["grpc"],
    grpcBrokerMultiplex: multiplex,
    startTimeout: 2000,
  });
  after(() => client.kill());
  return client;
}

const faults: Record<string, ((socket: Socket) => void) | undefined> = {
  "nobody listens": undefined,
  "hangs up at once": (socket) => socket.destroy(),
  "is silent": () => {},
  "answers garbage": (socket) => void socket.write(Buffer.alloc(100, 0x5a)),
  "answers HTTP/1.1": (socket) => void socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"),
};

for (const [name, fault] of Object.entries(faults)) {
  for (const multiplex of [false, true]) {
    test(`a plugin that ${name}${multiplex ? ", multiplexed" : ""}`, async () => {
      const client = await host(fault, multiplex);
      await assert.rejects(client.dispense("kv"), { code: "ERR_START_CONNECT" });
      await client.kill();
      assert.equal(client.exited, true);
    });
  }
}
