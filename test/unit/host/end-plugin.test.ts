// How a running plugin is ended, by doubles of the plugin and of the connection to it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { nullLogger } from "../../../src/hclog/logger.js";
import { endPlugin } from "../../../src/host/end-plugin.js";
import type { ProtocolClient } from "../../../src/host/protocol-client.js";
import type { ExitStatus } from "../../../src/process/runner.js";

const ended: ExitStatus = { code: 0, signal: null };

function start({ exited = false, endsByQuit = true, test = false } = {}) {
  const steps: string[] = [];
  let end!: (status: ExitStatus) => void;
  const exit = new Promise<ExitStatus>((resolve) => {
    end = resolve;
  });
  const plugin = {
    name: "plugin",
    id: "1",
    exited: exited ? ended : undefined,
    exit,
    stderrTail: "",
    async kill(): Promise<ExitStatus> {
      steps.push("kill");
      end(ended);
      return ended;
    },
  };
  const client = {
    async quit() {
      steps.push("quit");
      if (endsByQuit) end(ended);
    },
    async disconnect() {
      steps.push("disconnect");
    },
  } as Partial<ProtocolClient> as ProtocolClient;
  const ending = {
    plugin,
    test,
    connection: Promise.resolve(client) as Promise<ProtocolClient> | undefined,
    async connect() {
      steps.push("connect");
      return client;
    },
    stopConnecting: () => void steps.push("stop connecting"),
  };
  return { ending, client, steps };
}

test("a plugin that ends when it is asked to is not killed", async () => {
  const { ending, steps } = start();
  await endPlugin(ending, nullLogger);
  assert.deepEqual(steps, ["quit"]);
});

test("one that was never connected to is asked, too", async () => {
  const { ending, steps } = start();
  ending.connection = undefined;
  await endPlugin(ending, nullLogger);
  assert.deepEqual(steps, ["connect", "quit"]);
});

test("one that answers and stays is killed, and then disconnected from", async () => {
  const { ending, steps } = start({ endsByQuit: false });
  await endPlugin(ending, nullLogger);
  assert.deepEqual(steps, ["quit", "stop connecting", "kill", "disconnect"]);
});

test("one that cannot be connected to is killed", async () => {
  const { ending, steps } = start();
  ending.connection = Promise.reject(new Error("refused"));
  await endPlugin(ending, nullLogger);
  assert.deepEqual(steps, ["stop connecting", "kill"]);
});

test("one whose connection does not come about is killed after a time", async () => {
  const { ending, steps } = start();
  ending.connection = new Promise(() => {});
  await endPlugin(ending, nullLogger);
  assert.deepEqual(steps, ["stop connecting", "kill"]);
});

test("one that ends instead of answering has ended", async () => {
  const { ending, client, steps } = start();
  client.quit = async () => {
    ending.plugin.exited = ended;
    throw new Error("connection lost");
  };
  await endPlugin(ending, nullLogger);
  assert.deepEqual(steps, []);
});

test("one that has ended before, or is another's to end, is disconnected from", async () => {
  for (const { ending, steps } of [start({ exited: true }), start({ test: true })]) {
    await endPlugin(ending, nullLogger);
    assert.deepEqual(steps, ["disconnect"]);
  }
  const { ending, steps } = start({ test: true });
  ending.connection = Promise.reject(new Error("refused"));
  await endPlugin(ending, nullLogger);
  assert.deepEqual(steps, []);
});
