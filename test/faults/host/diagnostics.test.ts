// What programs see of plugins: diagnostics channels, counters, DEBUG's lines, the level of exit lines.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { subscribe, tracingChannel, unsubscribe } from "node:diagnostics_channel";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Metadata } from "@grpc/grpc-js";
import {
  type CallTrace,
  Client,
  collectBytes,
  type ExitLogLevel,
  type ExitMessage,
  grpcPlugin,
  type Logger,
  nullLogger,
  type StreamMessage,
  type Traced,
} from "../../../src/index.js";
import { connectionPair } from "../../../src/testing/index.js";
import { Session } from "../../../src/yamux/index.js";
import { binary } from "../../interop/case.js";
import { KVClient } from "../../interop/gen/kv.js";
import { handshakeConfig, kv, until, withClient } from "../../interop/support.js";
import { needs } from "../../support.js";

const names = ["start", "handshake", "connect", "dispense", "call"] as const;

/** Collects all events of the tracing channels for as long as `work` runs. */
async function collect(work: () => Promise<void>): Promise<[name: string, context: Traced][]> {
  const events: [string, Traced][] = [];
  const exits = (message: unknown): void => void events.push(["exit", message as Traced]);
  const undo = names.map((name) => {
    const channel = tracingChannel<unknown, Traced>(`goplug:${name}`);
    const on = (event: string) => (context: Traced) => void events.push([`${name} ${event}`, context]);
    const handlers = {
      start: on("start"),
      end: () => {},
      asyncStart: () => {},
      asyncEnd: on("end"),
      error: on("error"),
    };
    channel.subscribe(handlers);
    return () => channel.unsubscribe(handlers);
  });
  subscribe("goplug:exit", exits);
  try {
    await work();
  } finally {
    for (const each of undo) each();
    unsubscribe("goplug:exit", exits);
  }
  return events;
}

const isCall = (context: unknown): context is CallTrace => "method" in (context as object);

test("streams tell of their beginning and end, on both sides, with what went through them", async () => {
  const told: StreamMessage[] = [];
  const listen = (message: unknown): void => void told.push(message as StreamMessage);
  subscribe("goplug:stream", listen);
  try {
    const [near, far] = await connectionPair();
    const [client, server] = [Session.client(near), Session.server(far)];
    const channel = await client.open();
    channel.end(Buffer.alloc(300_000));
    const accepted = await server.accept();
    assert.equal((await collectBytes(accepted)).length, 300_000);
    accepted.end("seven b");
    assert.equal((await collectBytes(channel)).length, 7);
    await until("both ends", () => told.filter(({ action }) => action === "close").length === 2);
    await client.close();
    await server.close();
  } finally {
    unsubscribe("goplug:stream", listen);
  }
  assert.deepEqual(
    told.slice(0, 2).map(({ action, id }) => [action, id]),
    [
      ["open", 1],
      ["accept", 1],
    ],
  );
  const closed = told.slice(2).map(({ sentBytes, receivedBytes }) => [sentBytes, receivedBytes]);
  assert.deepEqual(
    closed.sort(([a], [b]) => a! - b!),
    [
      [7, 300_000],
      [300_000, 7],
    ],
  );
});

describe("diagnostics channels", needs("kv-netrpc", "kv-grpc"), () => {
  test("tell of start, handshake, connection, dispense, calls and exit, in this order", async () => {
    const events = await collect(() =>
      withClient({ plugins: { kv }, cmd: [binary("kv-netrpc")] }, async (client) => {
        const store = await client.dispense("kv");
        await store.Echo(Buffer.alloc(1000));
        await assert.rejects(store.Get("no such key"));
        await client.kill();
      }),
    );
    const seen = events
      .filter(([, context]) => !isCall(context) || context.method.startsWith("Plugin."))
      .map(([name, context]) => (isCall(context) ? `${name} ${context.method}` : name));
    assert.deepEqual(seen, [
      "start start",
      "handshake start",
      "handshake end",
      "start end",
      "connect start",
      "connect end",
      "dispense start",
      "dispense end",
      "call start Plugin.Echo",
      "call end Plugin.Echo",
      "call start Plugin.Get",
      "call error Plugin.Get",
      "call end Plugin.Get",
      "exit",
    ]);
    const [, echo] = events.find(
      ([name, context]) => name === "call end" && isCall(context) && context.method === "Plugin.Echo",
    )!;
    const { requestBytes, replyBytes, plugin } = echo as CallTrace;
    assert(requestBytes > 1000 && requestBytes < 1200, `${requestBytes}`);
    assert(replyBytes > 1000 && replyBytes < 1200, `${replyBytes}`);
    assert.equal(plugin, binary("kv-netrpc"));
    const [, failed] = events.find(([name]) => name === "call error")!;
    assert.equal((failed.error as Error).name, "RemoteError");
    // Not the last event of all: the call that asked the plugin to quit may end behind the process.
    const { code, signal } = events.find(([name]) => name === "exit")![1] as unknown as ExitMessage;
    assert.deepEqual([code, signal], [0, null]);
  });

  test("tell of a failed start", async () => {
    const client = new Client({
      handshakeConfig,
      plugins: { kv },
      cmd: ["/no/such/file"],
      logger: nullLogger,
    });
    const events = await collect(async () => {
      await assert.rejects(client.start());
      await client.kill();
    });
    assert.deepEqual(
      events.map(([name]) => name),
      ["start start", "start error", "start end"],
    );
    assert.equal((events[1]![1].error as { code: string }).code, "ERR_PLUGIN_NOT_FOUND");
  });

  for (const grpcTransport of ["goplug", "grpc-js"] as const) {
    test(`tell of gRPC calls (${grpcTransport}), and their subscribers may add metadata`, async () => {
      const kvGrpc = grpcPlugin({ client: ({ conn }) => conn.client(KVClient) });
      const own = tracingChannel<unknown, CallTrace>("goplug:call");
      const inject = {
        start: ({ metadata }: CallTrace) => (metadata as Metadata).set("traceparent", "00-11-22-01"),
        end() {},
        asyncStart() {},
        asyncEnd() {},
        error() {},
      };
      const config = {
        plugins: { kv: kvGrpc },
        cmd: [binary("kv-grpc")] as const,
        allowedProtocols: ["grpc"] as const,
        grpcTransport,
      };
      const events = await collect(() =>
        withClient(config, async (client) => {
          const store = await client.dispense("kv");
          own.subscribe(inject);
          await new Promise<void>((resolve) => {
            store.get({ key: "no such key" }, (error) => {
              assert.equal(error?.code, 5);
              resolve();
            });
          });
          own.unsubscribe(inject);
          assert.deepEqual(
            { ...client.counters, sentBytes: 0, receivedBytes: 0 },
            { calls: 1, errors: 1, inFlight: 0, sentBytes: 0, receivedBytes: 0 },
          );
          assert(client.counters.sentBytes > 0);
        }),
      );
      const calls = events.filter(([, context]) => isCall(context));
      assert.deepEqual(
        calls.map(([name]) => name),
        ["call start", "call error", "call end"],
      );
      const [, call] = calls[0]! as [string, CallTrace];
      assert.match(call.method, /\/Get$/);
      assert.deepEqual((call.metadata as Metadata).get("traceparent"), ["00-11-22-01"]);
    });
  }
});

test("a client counts calls, errors, bytes and what is in flight", needs("kv-netrpc"), () =>
  withClient({ plugins: { kv }, cmd: [binary("kv-netrpc")] }, async (client) => {
    const store = await client.dispense("kv");
    assert.deepEqual(client.counters, { calls: 0, errors: 0, inFlight: 0, sentBytes: 0, receivedBytes: 0 });
    await store.Echo(Buffer.alloc(1000));
    await assert.rejects(store.Get("no such key"));
    const hanging = store.Hang(null, { timeout: 50 });
    assert.equal(client.counters.inFlight, 1);
    await assert.rejects(hanging);
    const { calls, errors, inFlight, sentBytes, receivedBytes } = client.counters;
    assert.deepEqual([calls, errors, inFlight], [3, 2, 0]);
    assert(sentBytes > 1000 && receivedBytes > 1000);
  }),
);

test("DEBUG=goplug:* prints all of it in lines for people", needs("kv-netrpc"), () => {
  const script = fileURLToPath(new URL("debugged-host.ts", import.meta.url));
  const { stderr, status } = spawnSync(process.execPath, ["--import", "tsx", script, binary("kv-netrpc")], {
    env: { ...process.env, DEBUG: "goplug:*,-goplug:yamux", DEBUG_COLORS: "no", DEBUG_HIDE_DATE: "yes" },
    encoding: "utf8",
    timeout: 60_000,
  });
  assert.equal(status, 0, stderr);
  for (const line of [
    /goplug:start start .+kv-netrpc …/,
    /goplug:handshake handshake of .+kv-netrpc \(\d+\): done in [\d.]+ ms/,
    /goplug:connect connect to .+kv-netrpc at unix \S+ \(netrpc\): done in [\d.]+ ms/,
    /goplug:dispense dispense kv of .+kv-netrpc: done in/,
    /goplug:call call Plugin\.Get, \d+ bytes out, 0 bytes in: failed after [\d.]+ ms: key not found: a/,
    /goplug:exit .+kv-netrpc \(\d+\) exited with code 0/,
  ]) {
    assert.match(stderr, line);
  }
});

describe("the exit line's level", needs("kv-netrpc"), () => {
  for (const [exitLogLevel, code, expected] of [
    [undefined, 0, "info"],
    [undefined, 3, "warn"],
    [{ success: "debug" }, 0, "debug"],
    [{ failure: "error" }, 3, "error"],
    [{ failure: "off" }, 3, undefined],
  ] as const satisfies readonly (readonly [ExitLogLevel | undefined, number, string | undefined])[]) {
    test(`is ${expected} after code ${code} with ${JSON.stringify(exitLogLevel)}`, async () => {
      const levels: string[] = [];
      const at = (level: string) => (message: string) =>
        void (message === "plugin process exited" && levels.push(level));
      const logger: Logger = {
        trace: at("trace"),
        debug: at("debug"),
        info: at("info"),
        warn: at("warn"),
        error: at("error"),
      };
      const config = {
        plugins: { kv },
        cmd: [binary("kv-netrpc")] as const,
        logger,
        ...(exitLogLevel && { exitLogLevel }),
      };
      await withClient(config, async (client) => {
        const store = await client.dispense("kv");
        await store.Exit(code).catch(() => {});
        await client.kill();
      });
      assert.deepEqual(levels, expected === undefined ? [] : [expected]);
    });
  }
});
