import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { nullLogger } from "../../../src/hclog/logger.js";
import { NetRpcProtocolClient } from "../../../src/host/net-rpc-client.js";
import { OutputQueue } from "../../../src/plugin/output-queue.js";
import { Serving } from "../../../src/plugin/serving.js";
import { startNetRpc } from "../../../src/plugin/start-net-rpc.js";
import { openSocket } from "../../../src/socket/open.js";
import { Session } from "../../../src/yamux/index.js";

/** Counts how often somebody waits for it. */
class CountingQueue extends OutputQueue {
  flushes = 0;
  override flush(timeoutMs: number): Promise<boolean> {
    this.flushes++;
    return super.flush(timeoutMs);
  }
}

async function start(signal?: AbortSignal) {
  const listener = await openSocket();
  const output = { stdout: new CountingQueue(() => {}), stderr: new CountingQueue(() => {}) };
  const security = { gate: (accept: (connection: never) => void) => accept as never };
  const start = startNetRpc({}, nullLogger, security, {});
  const serving = new Serving({ listener, start, output, logger: nullLogger, signal });
  return { listener, output, serving };
}

test("Quit stops the serving, and hosts are waited for once: before its answer", async () => {
  const { listener, output, serving } = await start();
  const session = Session.client(connect(listener.address));
  const client = await NetRpcProtocolClient.open(session, { plugins: {} });
  const ended = serving.stopped.then(() => serving.end());
  await client.quit();
  await ended;
  assert.deepEqual([output.stdout.flushes, output.stderr.flushes], [1, 1]);
  assert.equal(listener.server.listening, false);
});

test("a signal stops it, then or before, and hosts get what was printed", async () => {
  const abort = new AbortController();
  const { output, serving } = await start(abort.signal);
  abort.abort();
  await serving.stopped;
  await serving.end();
  assert.equal(output.stdout.flushes, 1);
  const late = await start(abort.signal);
  await late.serving.stopped;
  await late.serving.end();
});

test("it says that it does not serve any more before it waits for hosts to take what was printed", async () => {
  const order: string[] = [];
  class SlowQueue extends OutputQueue {
    override async flush(): Promise<boolean> {
      order.push("flush");
      return true;
    }
  }
  const server = {
    openConnections: 0,
    serve() {},
    stopServing: () => void order.push("stopServing"),
    close: async () => void order.push("close"),
    closeNow() {},
  };
  const listener = await openSocket();
  const output = { stdout: new SlowQueue(() => {}), stderr: new SlowQueue(() => {}) };
  const serving = new Serving({ listener, start: () => server, output, logger: nullLogger });
  serving.stop();
  await serving.end();
  assert.deepEqual(order, ["stopServing", "flush", "flush", "close"]);
});
