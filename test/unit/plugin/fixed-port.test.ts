// A gRPC plugin that has a port of its own.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Client, nullLogger, serve } from "../../../src/index.js";
import { openSocket } from "../../../src/socket/open.js";
import type { BrokerId, SumReply } from "../../interop/gen/counter.js";
import { AddHelperClient } from "../../interop/gen/counter.js";
import { call, counter } from "../../interop/grpc-support.js";
import { plugins } from "../../interop/plugins/services/counter-grpc.js";
import { handshakeConfig } from "../../interop/support.js";

async function freePort(): Promise<number> {
  const socket = await openSocket({ network: "tcp" });
  socket.close();
  return Number(socket.address.split(":")[1]);
}

test("the broker's sockets have ports beside the plugin's own", async () => {
  const port = await freePort();
  const ending = new AbortController();
  let served: Promise<void> | undefined;
  const reattach = await new Promise<ClientReattach>((resolve, reject) => {
    served = serve({
      handshakeConfig,
      plugins,
      network: "tcp",
      port,
      logger: nullLogger,
      signal: ending.signal,
      test: { onReattachConfig: resolve },
    });
    served.catch(reject);
  });
  try {
    assert.equal(reattach.address.address, `127.0.0.1:${port}`);
    await using client = new Client({
      handshakeConfig,
      plugins: { counter },
      allowedProtocols: ["grpc"],
      reattach,
      logger: nullLogger,
    });
    const { broker, counter: store } = await client.dispense("counter");
    for (const [a, r] of [
      [1n, 1003n],
      [2n, 1004n],
    ] as const) {
      const { id } = await call<object, BrokerId>(store, store.open, {});
      await using conn = await broker.dial(id, { timeout: 10_000 });
      const helper = conn.client(AddHelperClient);
      const sum = await call<{ a: bigint; b: bigint }, SumReply>(helper, helper.sum, { a, b: 2n });
      assert.deepEqual(sum, { r });
    }
  } finally {
    ending.abort();
    await served;
  }
});

type ClientReattach = Parameters<
  NonNullable<NonNullable<Parameters<typeof serve>[0]["test"]>["onReattachConfig"]>
>[0];
