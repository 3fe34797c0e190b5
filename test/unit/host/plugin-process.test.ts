import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "../../../src/hclog/logger.js";
import { nullLogger } from "../../../src/hclog/logger.js";
import { PluginProcess } from "../../../src/host/plugin-process.js";
import type { ExitStatus, Runner } from "../../../src/process/runner.js";

/** A process in the test's hand. */
class FakeRunner implements Runner {
  readonly name = "/path/to/fake";
  readonly id = "4711";
  readonly stdout = new PassThrough();
  readonly stderr = new PassThrough();
  kills = 0;
  end!: (exit: ExitStatus) => void;
  readonly #exit = new Promise<ExitStatus>((resolve) => {
    this.end = resolve;
  });

  async start(): Promise<void> {}
  wait(): Promise<ExitStatus> {
    return this.#exit;
  }
  async kill(): Promise<void> {
    this.kills++;
    this.end({ code: null, signal: "SIGKILL" });
  }
  async diagnose(): Promise<string> {
    return "";
  }
}

function started(options: { logger?: Logger; logBufferSize?: number } = {}) {
  const runner = new FakeRunner();
  const { logger = nullLogger, logBufferSize = 65_536 } = options;
  return { runner, plugin: new PluginProcess(runner, { logger, stderr: undefined, logBufferSize }) };
}

describe("the first line", () => {
  test("comes in any pieces; what follows is read and dropped", async () => {
    const { runner, plugin } = started();
    const first = plugin.firstLine();
    for (const byte of Buffer.from("1|1|unix|/s|netrpc\nmore")) runner.stdout.write(Buffer.from([byte]));
    assert.deepEqual(await first, { kind: "line", line: "1|1|unix|/s|netrpc" });
    for (let i = 0; i < 100; i++) runner.stdout.write(Buffer.alloc(65_536));
    await sleep(20);
    assert.equal(runner.stdout.readableLength, 0);
  });

  test("is noise when it is longer than any handshake line", async () => {
    const { runner, plugin } = started();
    const first = plugin.firstLine();
    runner.stdout.write("x".repeat(40_000));
    runner.stdout.write("x".repeat(40_000));
    assert.deepEqual(await first, { kind: "noise", start: "x".repeat(200) });
  });

  test("is missing when the process ends", async () => {
    const { runner, plugin } = started();
    const first = plugin.firstLine();
    runner.stdout.end("1|1|un");
    runner.stderr.end();
    runner.end({ code: 3, signal: null });
    assert.deepEqual(await first, { kind: "exited", exit: { code: 3, signal: null }, rest: "1|1|un" });
  });

  for (const said of ["", "1|1|unix|/s"]) {
    test(`is ${JSON.stringify(said)} when stdout is closed behind that and the process lives on`, async () => {
      const { runner, plugin } = started();
      const first = plugin.firstLine();
      runner.stdout.end(said);
      assert.deepEqual(await first, { kind: "line", line: said });
      assert.equal(plugin.exited, undefined);
    });
  }

  test("is empty when stdout breaks", async () => {
    const { runner, plugin } = started();
    const first = plugin.firstLine();
    runner.stdout.destroy(new Error("the container's connection is gone"));
    assert.deepEqual(await first, { kind: "line", line: "" });
  });
});

describe("the end", () => {
  test("is seen although pipes stay open: a grandchild may hold them", async () => {
    const { runner, plugin } = started();
    runner.stderr.write("last words\n");
    runner.end({ code: 1, signal: null });
    assert.deepEqual(await plugin.exit, { code: 1, signal: null });
    assert.equal(plugin.stderrTail, "last words\n");
    assert(runner.stdout.destroyed && runner.stderr.destroyed);
  });

  test("comes after what the pipes still held, and after the clean-ups", async () => {
    const { runner, plugin } = started();
    const order: string[] = [];
    plugin.onExit(async () => {
      await sleep(5);
      order.push("cleaned");
    });
    void plugin.exit.then(() => order.push("exit"));
    runner.end({ code: 0, signal: null });
    runner.stderr.write("late ");
    setTimeout(() => {
      runner.stderr.end("words");
      runner.stdout.end();
    }, 20);
    await plugin.exit;
    assert.equal(plugin.stderrTail, "late words");
    assert.deepEqual(order, ["cleaned", "exit"]);
    assert.deepEqual(plugin.exited, { code: 0, signal: null });
  });

  test("kill waits for it, and does not kill what has ended", async () => {
    const { runner, plugin } = started();
    assert.deepEqual(await plugin.kill(), { code: null, signal: "SIGKILL" });
    assert.deepEqual(await plugin.kill(), { code: null, signal: "SIGKILL" });
    assert.equal(runner.kills, 1);
  });

  test("a stream that breaks later is no news", async () => {
    const { runner, plugin } = started();
    runner.stderr.destroy(new Error("gone"));
    runner.stdout.destroy(new Error("gone"));
    await sleep(5);
    runner.end({ code: 0, signal: null });
    await plugin.exit;
  });
});

test("stderr is logged by lines, long ones in pieces of the buffer's size, the last one without its break", async () => {
  const lines: string[] = [];
  const keep = (message: string): void => void lines.push(message);
  const logger: Logger = { trace: keep, debug: keep, info: keep, warn: keep, error: keep };
  const { runner, plugin } = started({ logger, logBufferSize: 10 });
  runner.stderr.write("short\r\n0123456789abcde\n");
  runner.stderr.end("tail");
  runner.stdout.end();
  runner.end({ code: 0, signal: null });
  await plugin.exit;
  assert.deepEqual(lines.slice(0, 4), ["short", "0123456789", "abcde", "tail"]);
});
