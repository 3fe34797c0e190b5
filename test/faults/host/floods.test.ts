// Plugins that write without end: the host's memory stays bounded, and another plugin's calls get their turn.
import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, nullLogger, StartError } from "../../../src/index.js";
import { binary } from "../../interop/case.js";
import { assertGone, greeter, handshakeConfig, kv, withClient } from "../../interop/support.js";
import { needs } from "../../support.js";

/** Milliseconds that each flood goes on. */
const duration = 1500;
/** More than what buffers, pipes and the garbage collector's leisure take. */
const memoryBound = 150 << 20;
/** Milliseconds; no measure of speed, but calls must not wait for the flood's end. */
const turnBound = 10_000;

const json = '{"@level":"info","@message":"a message","@timestamp":"2026-01-02T15:04:05.000000Z","key":1}';
const announced = "echo '1|1|unix|/nonexistent/socket|netrpc|'";

const floods: readonly (readonly [what: string, script: string])[] = [
  ["short lines on stderr", "exec yes line >&2"],
  ["empty lines on stderr", "exec yes '' >&2"],
  ["lines of hclog's JSON on stderr", `exec yes '${json}' >&2`],
  ["lines that look like JSON and are none", "exec yes '{{{{{{{{{{{{{{{{{{{{' >&2"],
  ["a panic without end", "echo 'panic: x' >&2; exec yes goroutine >&2"],
  ["one line without end on stderr", "exec tr '\\0' x < /dev/zero >&2"],
  ["zeros on stderr", "exec cat /dev/zero >&2"],
  ["noise on stdout after the handshake", `${announced}; exec yes`],
  ["one line without end on stdout after the handshake", `${announced}; exec cat /dev/zero`],
];

/** Calls another plugin for as long as the flood goes on; the slowest call, and the growth of memory at its highest. */
async function callMeanwhile(): Promise<{ calls: number; slowest: number; growth: number }> {
  const result = { calls: 0, slowest: 0, growth: 0 };
  await withClient({ plugins: { kv }, cmd: [binary("kv-netrpc")] }, async (client) => {
    const store = await client.dispense("kv");
    await store.Echo(Buffer.from("warm"));
    const before = process.memoryUsage.rss();
    const end = performance.now() + duration;
    while (performance.now() < end) {
      const started = performance.now();
      await store.Echo(Buffer.from("are you there?"));
      result.slowest = Math.max(result.slowest, performance.now() - started);
      result.growth = Math.max(result.growth, process.memoryUsage.rss() - before);
      result.calls++;
      await sleep(1);
    }
  });
  return result;
}

function assertBounded(
  t: TestContext,
  { calls, slowest, growth }: Awaited<ReturnType<typeof callMeanwhile>>,
): void {
  t.diagnostic(
    `${calls} calls, slowest ${slowest.toFixed(1)} ms, memory +${(growth / 2 ** 20).toFixed(1)} MiB`,
  );
  assert(growth < memoryBound, `memory grew by ${growth} bytes`);
  assert(slowest < turnBound, `a call took ${slowest} ms`);
}

describe("beside a plugin that writes", needs("kv-netrpc"), () => {
  for (const [what, script] of floods) {
    test(what, async (t) => {
      const client = new Client({
        handshakeConfig,
        plugins: { greeter },
        cmd: ["/bin/sh", "-c", script],
        logger: nullLogger,
      });
      const starting = client.start().catch(() => {});
      try {
        assertBounded(t, await callMeanwhile());
      } finally {
        await client.kill();
        await starting;
        assertGone(client);
      }
    });
  }

  test("a first line without end: the start fails at 64 KiB", async () => {
    const client = new Client({
      handshakeConfig,
      plugins: { greeter },
      cmd: ["/bin/cat", "/dev/zero"],
      logger: nullLogger,
    });
    const before = process.memoryUsage.rss();
    await assert.rejects(client.start(), (error: unknown) => {
      assert(error instanceof StartError);
      assert.equal(error.code, "ERR_HANDSHAKE_LINE");
      return true;
    });
    assert(process.memoryUsage.rss() - before < memoryBound);
    await client.kill();
    assertGone(client);
  });
});
