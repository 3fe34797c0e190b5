// Many of everything in one process: nothing of it looks like a leak of listeners to Node.
import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { after, before, test } from "node:test";
import * as protobuf from "@bufbuild/protobuf";
import {
  Client,
  type ClientConfig,
  grpcPlugin,
  nullLogger,
  protobufPlugin,
  serve,
} from "../../../src/index.js";
import type { TestReattachConfig } from "../../../src/plugin/serve-config.js";
import { KV } from "../../interop/gen/es/kv_pb.js";
import { handshakeConfig } from "../../interop/support.js";

const warnings: string[] = [];
const onWarning = (warning: Error): void => void warnings.push(`${warning.name}: ${warning.message}`);
before(() => void process.on("warning", onWarning));
after(() => void process.off("warning", onWarning));

async function nothingWarned(): Promise<void> {
  // Node emits warnings in the next tick.
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(warnings, []);
}

const kv = protobufPlugin(KV, protobuf);
const brokers = grpcPlugin({ client: ({ broker, conn }) => ({ broker, kv: conn.protobuf(KV, protobuf) }) });

/** Serves in this process until the signal fires. */
function served(signal: AbortSignal): Promise<TestReattachConfig> {
  const plugins = { kv: kv.implement({ get: () => ({}) }) };
  return new Promise((onReattachConfig, reject) => {
    serve({ handshakeConfig, plugins, logger: nullLogger, signal, test: { onReattachConfig } }).catch(reject);
  });
}

test("twelve plugins served with one signal, twelve hosts with one writer for their output, fifteen brokered servers", async () => {
  const end = new AbortController();
  const sink = new Writable({ write: (_chunk, _encoding, done) => done() });
  const clients: Client<{ kv: typeof brokers }>[] = [];
  try {
    for (let i = 0; i < 12; i++) {
      const reattach = await served(end.signal);
      const config: ClientConfig<{ kv: typeof brokers }> = {
        handshakeConfig,
        plugins: { kv: brokers },
        reattach,
        allowedProtocols: ["grpc"],
        logger: nullLogger,
        syncStdout: sink,
        syncStderr: sink,
      };
      clients.push(new Client(config));
    }
    const faces = await Promise.all(clients.map((client) => client.dispense("kv")));
    await Promise.all(faces.map(({ kv }) => kv.get({ key: "x" })));
    await nothingWarned();
    const { broker } = faces[0]!;
    const brokered = await Promise.all(Array.from({ length: 15 }, () => broker.serve(() => {})));
    await nothingWarned();
    await Promise.all(brokered.map((server) => server.stop()));
  } finally {
    await Promise.all(clients.map((client) => client.kill()));
    end.abort();
  }
  await nothingWarned();
});
