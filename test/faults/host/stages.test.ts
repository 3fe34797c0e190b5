// A plugin that dies, stops, hangs up or falls silent at every stage of its life (go-fixtures/plugins/stages): each
// failure is a typed error in its time, and after kill() nothing is left.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, GoplugError, gob, netRpcPlugin, nullLogger, PluginExitedError } from "../../../src/index.js";
import { binary } from "../../interop/case.js";
import { assertGone, Collector, handshakeConfig, isRunning, until } from "../../interop/support.js";
import { needs } from "../../support.js";

const face = netRpcPlugin(
  { Greet: [gob.any, gob.string], Hang: [gob.any, gob.any], Open: [gob.any, gob.uint32] },
  { client: ({ rpc, broker }) => ({ rpc, broker }) },
);

type Stage =
  | "handshake"
  | "accept"
  | "streams"
  | "dispense"
  | "broker"
  | "call"
  | "stream"
  | "quit"
  | "after-quit";
type Step = "start" | "connect" | "dispense" | "greet" | "call" | "stream" | "kill";

interface Outcome {
  /** The step that failed; kill, when all before it went well. */
  step: Step;
  error: GoplugError | undefined;
  /** Milliseconds from the end of the process to the failure, when the process ended by itself. */
  afterDeath: number | undefined;
  /** Milliseconds that kill took. */
  killTook: number;
  exit: Client["exitStatus"];
  stderr: string;
}

/** The limit that the host's own waits get where the plugin does not answer. */
const limit = { timeout: 2000 };

async function drive(stage: Stage | "never", fault: string): Promise<Outcome> {
  const stderr = new Collector();
  const client = new Client({
    handshakeConfig,
    plugins: { any: face },
    cmd: [binary("stages"), stage, fault],
    startTimeout: stage === "handshake" ? 4000 : 20_000,
    // Of a socket that was never announced nobody knows: it is in a folder that goes with the plugin.
    ...(stage === "handshake" && { unixSocketConfig: {} }),
    logger: nullLogger,
    stderr,
  });
  let died: number | undefined;
  const watch = setInterval(() => {
    const { pid } = client;
    if (pid !== undefined && died === undefined && !isRunning(pid)) died = performance.now();
  }, 2);
  const timeless: { timeout?: number } = fault === "stop" || fault === "silent" ? limit : {};
  let step: Step = "start";
  let error: unknown;
  let afterDeath: number | undefined;
  try {
    await client.start();
    step = "connect";
    await client.client();
    step = "dispense";
    const { rpc, broker } = await client.dispense("any", timeless);
    step = "greet";
    assert.equal(await rpc.Greet(null), "Hello!");
    if (stage === "call") {
      step = "call";
      await rpc.Hang(null, timeless);
    }
    if (stage === "stream") {
      step = "stream";
      const raw = await broker.dial(await rpc.Open(null));
      const late = AbortSignal.timeout(timeless.timeout ?? 20_000);
      late.addEventListener("abort", () => raw.destroy(new GoplugError("TEST_LATE", "silence")));
      for await (const _ of raw);
    }
    step = "kill";
  } catch (thrown) {
    error = thrown;
    // Seen before the watch has seen it: at once.
    if (client.exited) died ??= performance.now();
    if (died !== undefined) afterDeath = performance.now() - died;
  }
  const killing = performance.now();
  await Promise.all([client.kill(), client.kill()]);
  const killTook = performance.now() - killing;
  clearInterval(watch);
  assertGone(client);
  const text = stderr.bytes.toString();
  const grandchild = /^grandchild (\d+)$/m.exec(text)?.[1];
  if (grandchild !== undefined) process.kill(Number(grandchild), "SIGKILL");
  assert(error === undefined || error instanceof GoplugError, `not a typed error: ${error}`);
  await assert.rejects(client.client(), GoplugError);
  return { step, error, afterDeath, killTook, exit: client.exitStatus, stderr: text };
}

const options = { ...needs("stages"), concurrency: 12 };

/** Milliseconds: less than the limits that would end the waits otherwise, and more than a busy machine takes. */
const bound = 12_000;

const deaths = {
  kill: [{ code: null, signal: "SIGKILL" }, /was killed by SIGKILL/],
  hold: [{ code: null, signal: "SIGKILL" }, /was killed by SIGKILL/],
  exit: [
    { code: 3, signal: null },
    /exited with code 3; the end of its stderr:\n(?:.*\n)*stages: giving up at/,
  ],
} as const;

for (const [fault, [exit, message]] of Object.entries(deaths)) {
  describe(`the process ends (${fault})`, options, () => {
    test("before the handshake", async () => {
      const { step, error } = await drive("handshake", fault);
      assert.equal(step, "start");
      assert.equal(error?.code, "ERR_START_EXITED");
      assert.match(error.message, /^plugin exited before we could connect: /);
    });

    for (const [stage, steps] of [
      ["accept", ["connect", "dispense"]],
      ["streams", ["connect", "dispense"]],
      ["dispense", ["dispense"]],
      ["broker", ["dispense"]],
      ["call", ["call"]],
    ] as const) {
      test(`at ${stage}: the pending wait tells how, before its limit`, async () => {
        const outcome = await drive(stage, fault);
        assert((steps as readonly Step[]).includes(outcome.step), outcome.step);
        assert(outcome.error instanceof PluginExitedError, String(outcome.error));
        assert.deepEqual(outcome.error.exit, exit);
        assert.match(outcome.error.message, message);
        assert.deepEqual(outcome.exit, exit);
        assert(outcome.afterDeath! < bound, `after ${outcome.afterDeath} ms`);
        assert(outcome.killTook < bound);
      });
    }

    test("in a brokered stream: its reader gets an error", async () => {
      const { step, error, afterDeath, killTook } = await drive("stream", fault);
      assert.equal(step, "stream");
      assert.match(error?.code ?? "", /^ERR_YAMUX_/);
      assert((afterDeath ?? 0) < bound, `after ${afterDeath} ms`);
      assert(killTook < bound);
    });

    for (const stage of ["quit", "after-quit"] as const) {
      test(`at ${stage}: kill is content`, async () => {
        const outcome = await drive(stage, fault);
        assert.equal(outcome.step, "kill");
        assert.deepEqual(outcome.exit, exit);
        assert(outcome.killTook < bound);
      });
    }
  });
}

for (const fault of ["stop", "silent"] as const) {
  describe(`the process lives and does not answer (${fault})`, options, () => {
    test("before the handshake: the start times out", async () => {
      const { step, error, exit } = await drive("handshake", fault);
      assert.equal(step, "start");
      assert.equal(error?.code, "ERR_START_TIMEOUT");
      assert.deepEqual(exit, { code: null, signal: "SIGKILL" });
    });

    for (const [stage, step, code] of [
      ["accept", "dispense", "ERR_NETRPC_TIMEOUT"],
      ["streams", "dispense", "ERR_NETRPC_TIMEOUT"],
      ["dispense", "dispense", "ERR_NETRPC_TIMEOUT"],
      ["broker", "dispense", "ERR_BROKER_TIMEOUT"],
      ["call", "call", "ERR_NETRPC_TIMEOUT"],
      ["stream", "stream", "TEST_LATE"],
      ["quit", "kill", undefined],
      ["after-quit", "kill", undefined],
    ] as const) {
      test(`at ${stage}: the caller's limit holds, and kill ends it`, async () => {
        const outcome = await drive(stage, fault);
        assert.equal(outcome.step, step, String(outcome.error));
        assert.equal(outcome.error?.code, code);
        // A plugin that is only deaf in one stream still takes its leave.
        if (fault === "stop" || stage === "quit" || stage === "after-quit")
          assert.deepEqual(outcome.exit, { code: null, signal: "SIGKILL" });
        assert(outcome.killTook < 2000 + bound, `after ${outcome.killTook} ms`);
      });
    }
  });
}

describe("the process lives and hangs up", options, () => {
  for (const [stage, steps, codes] of [
    ["accept", ["connect", "dispense"], /^ERR_(?:NETRPC_CONNECTION_LOST|START_CONNECT)$/],
    ["streams", ["connect", "dispense"], /^ERR_NETRPC_CONNECTION_LOST$/],
    ["dispense", ["dispense"], /^ERR_NETRPC_CONNECTION_LOST$/],
    ["broker", ["dispense"], /^ERR_NETRPC_CONNECTION_LOST$/],
    ["call", ["call"], /^ERR_NETRPC_CONNECTION_LOST$/],
    ["stream", ["stream"], /^ERR_YAMUX_/],
    ["quit", ["kill"], /^$/],
    ["after-quit", ["kill"], /^$/],
  ] as const) {
    test(`at ${stage}`, async () => {
      const outcome = await drive(stage, "close");
      assert((steps as readonly Step[]).includes(outcome.step), `${outcome.step}: ${outcome.error}`);
      assert.match(outcome.error?.code ?? "", codes);
      assert.deepEqual(outcome.exit, { code: null, signal: "SIGKILL" });
      assert(outcome.killTook < 2000 + bound, `after ${outcome.killTook} ms`);
    });
  }
});

describe("a plugin that forks", options, () => {
  for (const stage of ["handshake", "accept", "call"] as const) {
    test(`at ${stage}: its child keeps stdout open, its own end is still seen`, async () => {
      const { step, exit, killTook, stderr } =
        stage === "call" ? await driveForked() : await drive(stage, "fork");
      assert.match(stderr, /^grandchild \d+$/m);
      assert.equal(step, "kill");
      assert.deepEqual(exit, { code: 0, signal: null });
      assert(killTook < bound, `after ${killTook} ms`);
    });
  }
});

/** Hang never answers: the caller gives up, and the rest of the life goes on as usual. */
async function driveForked(): Promise<Pick<Outcome, "step" | "exit" | "killTook" | "stderr">> {
  const stderr = new Collector();
  const client = new Client({
    handshakeConfig,
    plugins: { any: face },
    cmd: [binary("stages"), "call", "fork"],
    logger: nullLogger,
    stderr,
  });
  const { rpc } = await client.dispense("any");
  await assert.rejects(rpc.Hang(null, limit), { code: "ERR_NETRPC_TIMEOUT" });
  assert.equal(await rpc.Greet(null), "Hello!");
  const started = performance.now();
  await client.kill();
  const text = stderr.bytes.toString();
  process.kill(Number(/^grandchild (\d+)$/m.exec(text)![1]), "SIGKILL");
  assertGone(client);
  return { step: "kill", exit: client.exitStatus, killTook: performance.now() - started, stderr: text };
}

describe("an address that cannot be used", options, () => {
  test("because nobody answers there: the start timeout bounds the wait", async () => {
    const { step, error } = await drive("handshake", "full");
    assert.equal(step, "connect");
    assert.equal(error?.code, "ERR_START_CONNECT");
    assert.match(error.message, /cannot connect to plugin .*stages at tcp 127\.0\.0\.1:\d+/);
  });

  test("because the path is too long for the system", async () => {
    const { step, error } = await drive("handshake", "long");
    assert.equal(step, "connect");
    assert.equal(error?.code, "ERR_START_CONNECT");
    assert.match(error.message, /at unix \/tmp\/long/);
  });

  test("because nobody answers there: kill does not wait for the start timeout", async () => {
    const client = new Client({
      handshakeConfig,
      plugins: { any: face },
      cmd: [binary("stages"), "handshake", "full"],
      unixSocketConfig: {},
      logger: nullLogger,
    });
    await client.start();
    // Whichever is seen first: the end of the process, or that its address refuses by then.
    const connecting = assert.rejects(client.client(), { code: /^ERR_(?:PLUGIN_EXITED|START_CONNECT)$/ });
    await sleep(50);
    const started = performance.now();
    await client.kill();
    assert(performance.now() - started < 2000 + bound);
    assertGone(client);
    await connecting;
    // No socket is left that would keep the host from ending (that of the test beside this one goes by itself).
    const isTcp = (kind: string): boolean => kind === "TCPSocketWrap" || kind === "TCPConnectWrap";
    await until("the end of all sockets", () => !process.getActiveResourcesInfo().some(isTcp));
  });
});

test("a plugin that does all it should", needs("stages"), async () => {
  const { step, error, exit } = await drive("never", "kill");
  assert.equal(step, "kill", String(error));
  assert.deepEqual(exit, { code: 0, signal: null });
});
